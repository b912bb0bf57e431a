// What an application gives in place of an object of options: said before a field of it is read.

import { shown } from '../doors/json/field-mistakes.ts';
import { asSeen, isMapping } from './limits-option.ts';
import { hitsFields, prefixMax } from './options.ts';
import { OptionsError } from './options-error.ts';

/** What is wrong with `given`, which is called `what`; undefined where it is an object. */
export function objectMistake(what: string, given: unknown): string | undefined {
  return isMapping(given) ? undefined : `${what} is ${shown(asSeen(given))}; allowed: an object`;
}

/** Throws an `OptionsError` of `of` where there are no options. */
export function mustBeOptions(of: string, given: unknown): void {
  const mistake = objectMistake('the options', given);
  if (mistake !== undefined) throw new OptionsError(of, [mistake]);
}

/** What is wrong with an option `failopen`. `elsewhere`: what of it another option says, by the name of that. */
export function failopenMistakes(given: unknown, elsewhere: Readonly<Record<string, string>>): string[] {
  if (given === undefined) return [];
  const mistake = objectMistake('failopen', given);
  if (mistake !== undefined) return [mistake];
  const own = hitsFields.filter((option) => !(option in elsewhere));
  return Object.keys(given as object)
    .filter((option) => !own.includes(option))
    .map((option) => `failopen.${option} is no option; allowed: ${elsewhere[option] ?? own.join(', ')}`);
}

/** What is wrong with the option `name`, by which another package calls what the names of buckets begin with. */
export function prefixMistakes(name: string, given: unknown): string[] {
  const fits = given === undefined || (typeof given === 'string' && given.length <= prefixMax);
  return fits ? [] : [`${name} is ${shown(given)}; allowed: a text of up to ${prefixMax} characters`];
}
