// The options of `createLimiter`, read in one place: every mistake is told at once, with its place, what is there and what is
// allowed.

import type { Registry } from 'prom-client';
import { z } from 'zod';
import { configRows } from '../config/rows.ts';
import type { Limit } from '../core/limit.ts';
import { tryReadBy } from '../doors/json/field-mistakes.ts';
import { fields } from '../doors/json/shapes.ts';
import type { EngineSettings } from '../engine.ts';
import type { LimiterEvent } from './limiter-options.ts';
import { asSeen, inFull, isMapping, limitsByPolicy, limitsFields, OwnLimits } from './limits-option.ts';
import { OptionsError } from './options-error.ts';
import { redisOf } from './redis-option.ts';

/** What an engine is told. */
export interface OpenSettings {
  readonly engine: Omit<EngineSettings, 'hashKey'>;
  /** By which keys are hashed on their way to Redis; undefined: they are not. */
  readonly keySecret: string | undefined;
  readonly onEvent: (event: LimiterEvent) => void;
  readonly metrics: Registry | undefined;
}

export interface LimiterSettings extends OpenSettings {
  /** The limits of each policy, by its name. */
  readonly policies: ReadonlyMap<string, readonly Limit[]>;
  readonly ownLimits: OwnLimits;
}

export interface HitsSettings extends OpenSettings {
  /** What the names of its buckets begin with. */
  readonly name: string;
  /** Hits that one process allows by itself in a window, while Redis is away. */
  readonly fallbackMax: number;
}

/** A setting of the service: what is allowed, and what holds where nobody gives it. */
function settingOf(name: (typeof configRows)[number]['name']) {
  const row = configRows.find((row) => row.name === name) as (typeof configRows)[number];
  const error = row.allowed.replace(/^nothing, or /, '');
  const fits = (value: unknown) => row.shape.safeParse(String(value)).success;
  const number = z.number({ error }).refine(fits, { error });
  return {
    number,
    unlessGiven: Number(row.default),
    text: z.string({ error }).min(1, { error }).refine(fits, { error }),
  };
}

const redisTimeoutMs = settingOf('REDIS_TIMEOUT_MS');
const breakerFailures = settingOf('BREAKER_FAILURES');
const breakerResetMs = settingOf('BREAKER_RESET_MS');
const fallbackKeysMax = settingOf('FALLBACK_MAX_KEYS');

const registryError = 'a Registry of prom-client';
/** Characters that the names of buckets may begin with. */
export const prefixMax = 100;
const prefixError = `a text of up to ${prefixMax} characters`;
const engineFields = {
  redis: z.unknown().optional(),
  prefix: z.string({ error: prefixError }).max(prefixMax, { error: prefixError }).default(''),
  instances: settingOf('INSTANCES').number.optional(),
  redisTimeoutMs: redisTimeoutMs.number.default(redisTimeoutMs.unlessGiven),
  breakerFailures: breakerFailures.number.default(breakerFailures.unlessGiven),
  breakerResetMs: breakerResetMs.number.default(breakerResetMs.unlessGiven),
  fallbackKeysMax: fallbackKeysMax.number.default(fallbackKeysMax.unlessGiven),
  hashKeys: settingOf('HASH_KEYS').text.optional(),
  onEvent: z
    .custom<(event: LimiterEvent) => void>((it) => typeof it === 'function', { error: 'a function' })
    .optional(),
};
const shape = fields({
  ...limitsFields,
  ...engineFields,
  metrics: z.custom<Registry>(isRegistry, { error: registryError }).optional(),
});
const fallbackMaxError = 'a number from 1';
const hitsShape = fields({
  ...engineFields,
  fallbackMax: z
    .custom<number>((it) => typeof it === 'number' && it >= 1, { error: fallbackMaxError }) // Infinity, too
    .optional(),
});

/** Names of the options of a store for another package. */
export const hitsFields: readonly string[] = Object.keys(hitsShape.shape);

/** Wanted where an application is tried out, and else the mistake of a variable that is not set, which nobody would see. */
const redisUndefined =
  'createLimiter: redis is undefined, so this process decides by itself. To say so without this warning, leave redis out.';

function isRegistry(value: unknown): boolean {
  const it = value as Partial<Registry> | null | undefined;
  return Boolean(it?.registerMetric && it.getSingleMetric);
}

/** Throws an `OptionsError` that tells every mistake. */
export function settingsOf(given: unknown): LimiterSettings {
  const isObject = isMapping(given);
  const { options, redis, mistakes } = read('createLimiter', shape, isObject ? { ...given, ...inFull(given) } : given);
  const { limits, policies, prefix, hashKeys, onEvent = () => {}, metrics, ...engine } = options;
  if (limits && policies) mistakes.push('limits and policies are both there; allowed: one of them');
  const forLimits = {
    instances: engine.instances,
    isCluster: redis?.kind === 'cluster',
    workers: 1,
    prefix,
    isAlone: redis === undefined,
  };
  const byPolicy = limitsByPolicy({ limits, policies }, forLimits, mistakes);
  if (mistakes.length > 0) throw new OptionsError('createLimiter', mistakes.map(withoutSecret));
  if (isObject && 'redis' in given && given.redis === undefined) process.emitWarning(redisUndefined);
  return {
    engine: { ...engine, instances: engine.instances, redis, prefix },
    policies: byPolicy,
    ownLimits: new OwnLimits(forLimits),
    keySecret: hashKeys,
    onEvent,
    metrics,
  };
}

/** The same of a store for another package, called `of`, which has that package's limits. */
export function hitsSettingsOf(of: string, given: unknown): HitsSettings {
  const { options, redis, mistakes } = read(of, hitsShape, given);
  if (mistakes.length > 0) throw new OptionsError(of, mistakes.map(withoutSecret));
  const { prefix, hashKeys, onEvent = () => {}, fallbackMax = Number.POSITIVE_INFINITY, ...engine } = options;
  const name = prefix === '' ? of : `${of}/${prefix}`;
  return {
    engine: { ...engine, instances: engine.instances, redis, prefix: name },
    keySecret: hashKeys,
    onEvent,
    metrics: undefined,
    name,
    fallbackMax,
  };
}

/** Throws where the options have not the shape of options; else `mistakes` are those in the address of Redis. */
function read<T>(of: string, shape: z.ZodType<T>, given: unknown) {
  const mistakes: string[] = [];
  const read = tryReadBy(shape, asSeen(given), 'the options');
  if ('mistakes' in read) mistakes.push(...read.mistakes.map(({ detail }) => withoutSecret(detail)));
  const redis = isMapping(given) && 'redis' in given ? redisOf(given.redis, mistakes) : undefined;
  if ('mistakes' in read) throw new OptionsError(of, mistakes);
  return { options: read.data, redis, mistakes };
}

/** A mistake in a secret does not show it. */
function withoutSecret(mistake: string): string {
  return mistake.replace(
    /^((?:hashKeys|redis\.\w*[pP]assword) is )(?!missing).*(; allowed: )/s,
    '$1a value that is not shown$2',
  );
}
