// What text from outside must look like, in zod, with one kind of message. In every schema here `error` is what is
// allowed, and `mistakeOf` puts the name and the value before it: `seed is -1; allowed: a whole number from 0 to 9`.

import { z } from 'zod';

/** Fewer characters than anybody reads, and more than anything of ours has. */
const textMax = 4096;
const shownMax = 100;

export const text = () => {
  const error = `text of at most ${textMax} characters`;
  return z.string({ error }).max(textMax, { error });
};

export const flag = () => z.boolean({ error: 'true, false' });

export const numberFrom = (min: number, error = `a number from ${min}`) => z.number({ error }).min(min, { error });

export const numberOver = (min: number) => {
  const error = `a number over ${min}`;
  return z.number({ error }).gt(min, { error });
};

export const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

export const oneOf = <const T extends readonly (string | boolean | null)[]>(...allowed: T) =>
  z.literal(allowed, { error: allowed.map(String).join(', ') });

/** An object with these fields and no other. */
export const strict = <T extends z.ZodRawShape>(shape: T) => {
  const fields = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? fields : `a mapping with the fields ${fields}`),
  });
};

/** The first thing about the value that does not fit, in one sentence without its full stop. */
export function mistakeOf(error: z.ZodError, value: unknown): string {
  return mistakesOf(error, value)[0] ?? '';
}

/** Everything about the value that does not fit, each in one sentence without its full stop. */
export function mistakesOf(error: z.ZodError, value: unknown): string[] {
  return error.issues.flatMap((issue) => mistakesIn(issue, [], value));
}

/** `above`: the path to where the issue's own begins. */
function mistakesIn(issue: z.core.$ZodIssue, above: readonly PropertyKey[], value: unknown): string[] {
  const path = [...above, ...issue.path];
  const found = path.reduce<unknown>((at, name) => (at as Record<PropertyKey, unknown> | undefined)?.[name], value);
  if (issue.code === 'invalid_union') {
    const meant = meantBy(found, issue.errors);
    if (meant) return meant.flatMap((inner) => mistakesIn(inner, path, value));
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${[...path, key].join('.')} is no field; allowed: ${issue.message}`);
  if (issue.code === 'invalid_key') return [`${path.join('.')} is no field; allowed: ${issue.issues[0]?.message}`];
  return [`${path.join('.') || 'it'} is ${shown(found)}; allowed: ${issue.message}`];
}

/** What is wrong with the value as that one of several shapes whose fields it has; undefined where that is none, or two. */
function meantBy(
  value: unknown,
  errors: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  const isMissing = ([name, ...rest]: readonly PropertyKey[]) =>
    name !== undefined && rest.length === 0 && Reflect.get(Object(value), name) === undefined;
  const strangeIn = (issues: readonly z.core.$ZodIssue[]) =>
    issues.reduce((sum, issue) => {
      if (issue.code === 'unrecognized_keys' && issue.path.length === 0) return sum + issue.keys.length;
      return sum + (isMissing(issue.path) ? 1 : 0);
    }, 0);
  const [first, second] = errors
    .map((issues) => ({ issues, strange: strangeIn(issues) }))
    .sort((one, other) => one.strange - other.strange);
  return first && second && first.strange < second.strange ? first.issues : undefined;
}

/** As JSON, which has no control characters, and not all of it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return String(value); // JSON has no infinity
  const json = JSON.stringify(value);
  return json.length > shownMax ? `${json.slice(0, shownMax)}…` : json;
}
