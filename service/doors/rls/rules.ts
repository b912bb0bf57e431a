// The rules of Envoy's rate limit service, as the files of envoyproxy/ratelimit say them: a tree of descriptors for each
// domain. A request's descriptor is a list of entries, and its first entry is looked up among the domain's descriptors, its
// second one among those below what the first one found, and so on.

import { createLimit, fallbackShare, type Limit, type OnStoreFailure } from '../../core/limit.ts';

/** By domain. */
export type RlsRules = ReadonlyMap<string, RlsLevel>;

/** Descriptors beside each other: those of a domain, or those below a descriptor. */
export interface RlsLevel {
  /** By what an entry is looked up by: `key_value`, or `key` alone for any value. */
  readonly descriptors: ReadonlyMap<string, RlsDescriptor>;
  /** Those of them with a `*`, in the order in which they are tried. */
  readonly wildcards: readonly RlsWildcard[];
}

export interface RlsDescriptor extends RlsLevel {
  /** Of a descriptor that ends here; undefined: it has no limit. */
  readonly rule: RlsRule | undefined;
  /** Its value, which has a `*`: all values that match it share a bucket. Undefined: each value has its own. */
  readonly sharedValue: string | undefined;
}

export interface RlsWildcard {
  readonly descriptor: RlsDescriptor;
  /** What it is looked up by, between its stars: at least two texts, which may be empty. */
  readonly parts: readonly string[];
}

/** The limit of a descriptor. */
export interface RlsRule {
  /** By which other rules may replace it. */
  readonly name: string | undefined;
  /** Names of rules that do not count in a request in which this one does. */
  readonly replaces: readonly string[];
  /** Only tried out: its decisions are counted, and nobody is refused by it. */
  readonly isShadow: boolean;
  /** Undefined: unlimited. */
  readonly rate: RlsRate | undefined;
}

export interface RlsRate {
  readonly unit: RlsUnit;
  /** A whole number from 0. */
  readonly requestsPerUnit: number;
  /** One token a request, refilled within one unit; undefined for 0 a unit, which refuses everything. */
  readonly limit: Limit | undefined;
}

/** Seconds of each unit, by its name in the files; the protocol has the same names in capitals. */
export const unitSeconds = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000, // 30 days
  year: 31_536_000, // 365 days
} as const;

export type RlsUnit = keyof typeof unitSeconds;

/** What stands in metrics where the name of a policy would. */
export const rlsPolicy = 'rls';

export interface RlsRateOptions {
  readonly unit: RlsUnit;
  readonly requestsPerUnit: number;
  readonly onStoreFailure?: OnStoreFailure;
  /** That share the rate, and each its share among its processes: a fallback bucket holds one part. */
  readonly instances: number;
  readonly workers: number;
}

/** The unit is part of the names of the buckets, so that a rate whose number alone changes keeps them. */
export function rlsRateOf({ unit, requestsPerUnit, onStoreFailure, instances, workers }: RlsRateOptions): RlsRate {
  if (requestsPerUnit === 0) return { unit, requestsPerUnit, limit: undefined };
  const limit = createLimit({
    name: rlsPolicy,
    prefix: `${rlsPolicy}/${unit}/`,
    capacity: requestsPerUnit,
    refillPerSecond: requestsPerUnit / unitSeconds[unit],
    fallbackCapacity: fallbackShare(requestsPerUnit, { instances, workers }),
    ...(onStoreFailure ? { onStoreFailure } : {}),
  });
  return { unit, requestsPerUnit, limit };
}
