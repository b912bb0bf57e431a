// What a command of the lab is told on its command line. Every one of them knows `--help`.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { HelpAsked, UsageError } from './errors.ts';
import { didYouMean } from './near.ts';
import { oneLine } from './printable.ts';

/** Where the command was typed: npm starts its scripts in the package's own directory. */
export const typedIn = process.env.INIT_CWD ?? process.cwd();

/**
 * As `parseArgs` of node:util. Throws a `UsageError` that says the options and the usage, and a `HelpAsked` that says `help`.
 */
export function commandLine<const Config extends ParseArgsConfig>(
  config: Config,
  usage: string,
  help = usage,
): ReturnType<typeof parseArgs<Config>> {
  assertNoneTaken(Object.keys(config.options ?? {}), config.args ?? process.argv.slice(2), usage);
  const options = { ...config.options, help: { type: 'boolean' } } as const;
  const parsed = parsedOrExplained({ ...config, options }, usage);
  if (parsed.values.help) throw new HelpAsked(help);
  return parsed as ReturnType<typeof parseArgs<Config>>;
}

/** What is typed before npm's `--` does not get here: npm takes it for an option of its own, and tells it by a variable. */
function assertNoneTaken(names: readonly string[], args: readonly string[], usage: string): void {
  const taken = names
    .filter((name) => process.env[`npm_config_${name.replaceAll('-', '_')}`])
    .map((name) => `--${name}`)
    .filter((option) => !args.some((typed) => typed === option || typed.startsWith(`${option}=`)));
  if (taken.length > 0)
    throw new UsageError(`npm took ${taken.join(', ')} for itself; options are typed after a "--".\n${usage}`);
}

function parsedOrExplained(config: ParseArgsConfig, usage: string) {
  const names = Object.keys(config.options ?? {}).map((name) => `--${name}`);
  try {
    return parseArgs(config);
  } catch (error) {
    const [mistake = ''] = (error as Error).message.split(/\.\s/);
    const [, unknown] = /^Unknown option '(--.*)'/.exec(mistake) ?? [];
    const [, valueless] = /^Option '(.*)' argument is ambiguous/.exec(mistake) ?? [];
    const meant = unknown ? didYouMean(unknown, names) : '';
    const said = valueless
      ? `${valueless} has no value; one that begins with a dash is written ${valueless}=VALUE`
      : mistake;
    throw new UsageError(`${said}${meant || '.'} Options: ${names.join(', ')}.\n${usage}`);
  }
}

/** Throws a `UsageError` that names the option, its value and what is allowed. */
export function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${option} is "${text}"; allowed: a whole number from ${min} to ${max}.`);
}

/** Whether something is there that is no directory; false where nobody can look, which making it will tell. */
function isOther(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return false;
  }
}

/** Where results go, seen from where the command was typed. Throws a `UsageError` when it cannot be a directory. */
export function outDirectory(text: string): string {
  const path = resolve(typedIn, text);
  if (oneLine(text) !== text)
    // it is told in lines, from which it could not be copied
    throw new UsageError(
      `--out is ${JSON.stringify(text)}; allowed: a directory without control characters in its name.`,
    );
  if (text !== '' && !isOther(path)) return path;
  throw new UsageError(`--out is "${text}"; allowed: a directory, or what is not there yet.`);
}
