// A limiter by the short way: a command, and what to tell it. It answers GET / with the key in a header; see `plain`.

import { UsageError } from '../errors.ts';
import { ownVariables, plain, type Target } from './target.ts';
import { wordsOf } from './words.ts';

/** `variables`: `NAME=VALUE` each. Throws a `UsageError` that names the option and what is wrong with it. */
export function commandTarget(command: string, variables: readonly string[], directory: string): Target {
  return {
    ...plain,
    name: 'command',
    start: { command: commandWords(command), directory },
    env: Object.fromEntries(variables.map(variable)),
  };
}

function commandWords(command: string): readonly string[] {
  try {
    return wordsOf(command);
  } catch (error) {
    throw new UsageError(`--command is "${command}", which ${(error as Error).message}.`);
  }
}

function variable(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError(`--target-env is "${text}"; allowed: NAME=VALUE, where {redis} in the value is host:port.`);
  if (ownVariables.includes(name)) throw new UsageError(`--target-env ${name}: the lab gives each instance its own.`);
  return [name, value];
}
