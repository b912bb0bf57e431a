// The options of rate-limiter-flexible's RateLimiterRedis: each is used, is needless here, or is refused by its name.

import { capacityMax } from '../config/limit-text.ts';
import { shown } from '../doors/json/field-mistakes.ts';
import { blockSecondsMax } from './blocks.ts';
import { failopenMistakes, mustBeOptions, objectMistake, prefixMistakes } from './given.ts';
import type { HitsOptions } from './hits.ts';
import { OptionsError } from './options-error.ts';
import { severalMistake } from './redis-option.ts';

export interface RateLimiterOptions {
  /** An ioredis client, whose address is taken, or a client of the package redis, by which commands are sent. */
  readonly storeClient: unknown;
  /** Points that a key has: a whole number. */
  readonly points: number;
  /** Seconds in which all of them come back, evenly. */
  readonly duration: number;
  /** `rlflx` without it. */
  readonly keyPrefix?: string | undefined;
  /** Seconds for which a key is refused that wanted more than it has. */
  readonly blockDuration?: number | undefined;
  readonly execEvenly?: boolean | undefined;
  readonly execEvenlyMinDelayMs?: number | undefined;
  /** Its points are what one process allows by itself while Redis is away; nothing else of it is needed. */
  readonly insuranceLimiter?: { readonly points?: number } | undefined;
  /** Needless: nobody waits for a Redis that is not ready. */
  readonly rejectIfRedisNotReady?: boolean | undefined;
  /** Needless: a refusal is repeated from memory, until Redis would allow. */
  readonly inMemoryBlockOnConsumed?: number | undefined;
  /** Needless: a client is known by what it can do. */
  readonly useRedisPackage?: boolean | undefined;
  /** What the limiter is told beside. */
  readonly failopen?: Omit<HitsOptions, 'redis' | 'prefix' | 'fallbackMax'> | undefined;
}

export const name = 'rate-limiter-flexible';

const known: Readonly<Record<keyof RateLimiterOptions, true>> = {
  storeClient: true,
  points: true,
  duration: true,
  keyPrefix: true,
  blockDuration: true,
  execEvenly: true,
  execEvenlyMinDelayMs: true,
  insuranceLimiter: true,
  rejectIfRedisNotReady: true,
  inMemoryBlockOnConsumed: true,
  useRedisPackage: true,
  failopen: true,
};

/** Why some are not: what is wanted instead. */
const instead: Readonly<Record<string, string>> = {
  customIncrTtlLuaScript: 'the script is that of the token bucket',
  inMemoryBlockDuration: 'blockDuration, which refuses a key in all processes',
  blockOnConsumed: 'blockDuration, since what a refused key wanted is not counted',
  useRedis3AndLowerPackage: 'ioredis, or the package redis from version 4',
};

/** What says the same as an option of `failopen` would. */
const elsewhere: Readonly<Record<string, string>> = {
  redis: 'storeClient',
  prefix: 'keyPrefix',
  fallbackMax: 'the points of insuranceLimiter',
};

/** Throws an `OptionsError` that tells every mistake. */
export function checkOptions(options: RateLimiterOptions): void {
  mustBeOptions(name, options);
  const { points, duration, blockDuration = 0, keyPrefix = '', storeClient, execEvenlyMinDelayMs = 0 } = options;
  const mistakes = Object.keys(options)
    .filter((option) => !(option in known))
    .map((option) => `${option} is no option; allowed: ${instead[option] ?? Object.keys(known).join(', ')}`);
  const check = (fits: boolean, option: string, value: unknown, allowed: string) => {
    if (!fits) mistakes.push(`${option} is ${shown(value)}; allowed: ${allowed}`);
  };
  const isNumber = (value: unknown, min: number, max: number) =>
    typeof value === 'number' && value >= min && value <= max;
  check(Number.isInteger(points) && points <= capacityMax, 'points', points, `a whole number up to ${capacityMax}`);
  check(
    isNumber(duration, Number.MIN_VALUE, blockSecondsMax),
    'duration',
    duration,
    'seconds, over 0, up to a year: points come back in that time',
  );
  check(isNumber(blockDuration, 0, blockSecondsMax), 'blockDuration', blockDuration, 'seconds from 0, up to a year');
  check(
    isNumber(execEvenlyMinDelayMs, 0, 2 ** 31 - 1),
    'execEvenlyMinDelayMs',
    execEvenlyMinDelayMs,
    'milliseconds from 0',
  );
  mistakes.push(...failopenMistakes(options.failopen, elsewhere));
  const insurance = options.insuranceLimiter ?? {};
  const notInsured = objectMistake('insuranceLimiter', insurance);
  if (notInsured !== undefined) mistakes.push(notInsured);
  const insured = insurance.points ?? 1;
  check(isNumber(insured, 1, Number.POSITIVE_INFINITY), 'insuranceLimiter.points', insured, 'a number from 1');
  const { inMemoryBlockOnConsumed: inMemory } = options;
  check(inMemory === undefined || inMemory >= points, 'inMemoryBlockOnConsumed', inMemory, 'from points on');
  mistakes.push(...prefixMistakes('keyPrefix', keyPrefix));
  check(typeof storeClient === 'object' && storeClient !== null, 'storeClient', storeClient, 'a client of Redis');
  const several = storeClient instanceof Object ? severalMistake(storeClient) : undefined;
  if (several !== undefined) mistakes.push(`storeClient is ${several}`);
  if (mistakes.length > 0) throw new OptionsError(name, mistakes);
}

/** As `Hits` is told where Redis is. */
export function redisIn({ storeClient }: RateLimiterOptions): HitsOptions['redis'] {
  const client = storeClient as {
    readonly isOpen?: unknown;
    readonly sendCommand?: (words: string[]) => Promise<unknown>;
  };
  const { sendCommand } = client;
  if (typeof client.isOpen !== 'boolean' || typeof sendCommand !== 'function') return client as HitsOptions['redis'];
  return { sendCommand: (...words: string[]) => sendCommand.call(client, words) };
}
