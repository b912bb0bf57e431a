// A limit: how much of something a key may have. It is enforced in two sizes, by the shared store and by the fallback.

import { type Bucket, bucketOf, type Rate } from './token-bucket.ts';

/** A limit as a client is told of it, in the size of the one who decided. */
export interface Quota {
  /** The name of its policy, and of itself where the policy has several. */
  readonly name: string;
  /** Tokens. */
  readonly capacity: number;
  /** Time in which an empty bucket refills. */
  readonly windowMs: number;
}

/**
 * What happens to takes that the shared store cannot decide: the fallback decides them, they are allowed (`open`), or they
 * are refused (`closed`). The last two for at most `forMs` of an outage; after that, the fallback.
 */
export interface OnStoreFailure {
  readonly mode: 'fallback' | 'open' | 'closed';
  readonly forMs: number;
}

/** The bucket that every key of a limit gets. */
export interface LimitBucket extends Bucket {
  readonly quota: Quota;
}

export interface Limit {
  /** The name of its policy. */
  readonly policy: string;
  /** What the name of each of its buckets begins with, before the key. */
  readonly prefix: string;
  /** In the shared store. */
  readonly shared: LimitBucket;
  /** In one instance's memory, with the whole refill; the fallback divides it among the instances. */
  readonly fallback: LimitBucket;
  readonly onStoreFailure: OnStoreFailure;
}

export interface LimitOptions extends Rate {
  readonly name: string;
  /** The same as its own name without it. */
  readonly policy?: string;
  readonly prefix?: string;
  /** Of a fallback bucket on one instance; as large as the shared one without it. */
  readonly fallbackCapacity?: number;
  readonly onStoreFailure?: OnStoreFailure;
}

const decidedByFallback: OnStoreFailure = { mode: 'fallback', forMs: Number.POSITIVE_INFINITY };

export function createLimit(options: LimitOptions): Limit {
  const {
    name,
    policy = name,
    prefix = '',
    capacity,
    refillPerSecond,
    fallbackCapacity,
    onStoreFailure = decidedByFallback,
  } = options;
  return {
    policy,
    prefix,
    shared: limitBucketOf(name, { capacity, refillPerSecond }),
    fallback: limitBucketOf(name, { capacity: fallbackCapacity ?? capacity, refillPerSecond }),
    onStoreFailure,
  };
}

/** Among whom the capacity of a limit is divided while the shared store does not decide. */
export interface Sharing {
  /** undefined: unknown, and each counts as the only one. */
  readonly instances?: number | undefined;
  /** Processes of an instance. */
  readonly workers: number;
}

/** Capacity of one process's fallback bucket, of a limit that names none. */
export function fallbackShare(capacity: number, { instances = 1, workers }: Sharing): number {
  return Math.max(1, Math.floor(Math.ceil(capacity / instances) / workers));
}

/** The same limit with another fallback bucket; it refills as fast. */
export function withFallbackCapacity(limit: Limit, capacity: number): Limit {
  const { quota } = limit.fallback;
  const refillPerSecond = (1000 * quota.capacity) / quota.windowMs;
  return { ...limit, fallback: limitBucketOf(quota.name, { capacity, refillPerSecond }) };
}

function limitBucketOf(name: string, { capacity, refillPerSecond }: Rate): LimitBucket {
  const windowMs = Number(((1000 * capacity) / refillPerSecond).toPrecision(exactDigits));
  return { ...bucketOf({ capacity, refillPerSecond }), quota: { name, capacity, windowMs } };
}

/** Of a number: what a window loses that was divided into a rate is behind them, and 11 per day are told as of a whole day. */
const exactDigits = 15;
