// What a command of the lab is told on its command line. Every one of them knows `--help`.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { HelpAsked, UsageError } from './errors.ts';

/**
 * As `parseArgs` of node:util. Throws a `UsageError` that says the options and the usage, and a `HelpAsked` that says `help`.
 */
export function commandLine<const Config extends ParseArgsConfig>(
  config: Config,
  usage: string,
  help = usage,
): ReturnType<typeof parseArgs<Config>> {
  const options = { ...config.options, help: { type: 'boolean' } } as const;
  const parsed = parsedOrExplained({ ...config, options }, usage);
  if (parsed.values.help) throw new HelpAsked(help);
  return parsed as ReturnType<typeof parseArgs<Config>>;
}

function parsedOrExplained(config: ParseArgsConfig, usage: string) {
  try {
    return parseArgs(config);
  } catch (error) {
    const names = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. Options: ${names.join(', ')}.\n${usage}`);
  }
}
