// Every limiter that can be named, and which one a command line asks for.

import { UsageError } from '../errors.ts';
import { didYouMean } from '../near.ts';
import { bare } from './bare.ts';
import { commandTarget } from './command.ts';
import { expressRateLimit, expressRateLimitPassOnStoreError } from './express-rate-limit.ts';
import { failopen } from './failopen.ts';
import { failopenDoors } from './failopen-doors.ts';
import { failopenPackage } from './failopen-package.ts';
import { isFile, targetFrom } from './file.ts';
import { rateLimiterFlexible, rateLimiterFlexibleInsured } from './rate-limiter-flexible.ts';
import type { KnownTarget, Target } from './target.ts';

/** The first is the one that is meant when none is named. */
export const targets: readonly KnownTarget[] = [
  failopen,
  ...failopenDoors,
  ...failopenPackage,
  expressRateLimit,
  expressRateLimitPassOnStoreError,
  rateLimiterFlexible,
  rateLimiterFlexibleInsured,
  bare,
];
/** Limiters of different makes, to be compared; the others of this project are other ways into the same one. */
export const comparedTargets: readonly KnownTarget[] = [
  failopen,
  expressRateLimit,
  expressRateLimitPassOnStoreError,
  rateLimiterFlexible,
  rateLimiterFlexibleInsured,
  bare,
];
const byCommand = 'command';
export const targetNames: readonly string[] = [...targets.map(({ name }) => name), byCommand];

export interface TargetOptions {
  readonly target: string;
  readonly command?: string | undefined;
  readonly variables: readonly string[];
  /** In which the command was typed. */
  readonly directory: string;
}

export function targetOf({ target, command, variables, directory }: TargetOptions): Target {
  if (target === byCommand) {
    if (command === undefined) throw new UsageError("--target command needs --command 'CMD'.");
    return commandTarget(command, variables, directory);
  }
  if (command !== undefined) throw new UsageError('--command needs --target command.');
  if (variables.length > 0) throw new UsageError('--target-env needs --target command.');
  if (isFile(target)) return targetFrom(target, directory, targetNames);
  const named = targets.find(({ name }) => name === target);
  if (!named)
    throw new UsageError(
      `There is no target "${target}"${didYouMean(target, targetNames) || '.'} Targets: ${targetNames.join(', ')}, or a file such as my-api.yaml.`,
    );
  return named;
}

/** Whether it is this project's own limiter: every driver can start it, or has it, and its end is a defect of the lab's. */
export function isOwn({ name }: Pick<Target, 'name'>): boolean {
  return name === failopen.name;
}
