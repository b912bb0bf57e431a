// The arithmetic of one token bucket, and the executable specification of every store that does it elsewhere.
//
// A bucket's whole state is one instant: when it will be full again (GCRA's "theoretical arrival time"). Every quantity
// is a whole number of microseconds, so that all implementations agree to the last bit:
//
//            now                fullAt            now + capacityUs
//   ──────────┼───────debtUs──────┼───────────────────┼──────▶
//                                 └─ tokens left × tokenUs ┘

import type { Decision, Mechanism, Policy } from './store.ts';

/** A policy in microseconds. */
export interface Bucket {
  /** Capacity in whole tokens. */
  readonly capacity: number;
  /** Time in which one token refills, rounded up to whole microseconds: a key never gets more than its policy. */
  readonly tokenUs: number;
  /** Time in which an empty bucket refills. */
  readonly capacityUs: number;
}

export function bucketOf(policy: Policy): Bucket {
  // The subtraction absorbs the error of the division, so that 5 tokens in 10 s are exactly 2,000,000 µs each.
  const tokenUs = Math.max(1, Math.ceil(1_000_000 / policy.refillPerSecond - 1e-6));
  return { capacity: policy.capacity, tokenUs, capacityUs: policy.capacity * tokenUs };
}

/** Of every instant that is stored: September 2001, unless the clock itself is earlier, and the last exact number. */
const instantUsMin = 1e15;
const instantUsMax = Number.MAX_SAFE_INTEGER;

/**
 * The instant that stored text tells at `nowUs`; undefined for what no take ever writes, which is somebody else's: no
 * plain decimal number, or one that is no date in microseconds, as another program's counter.
 */
export function instantUsOf(text: string, nowUs: number): number | undefined {
  if (!/^[1-9][0-9]*$/.test(text)) return undefined;
  const instantUs = Number(text);
  return instantUs <= instantUsMax && instantUs >= Math.min(instantUsMin, nowUs) ? instantUs : undefined;
}

/** What a take leaves behind: `debtUs` is the time until the bucket is full again. */
export interface Taken {
  readonly allowed: boolean;
  readonly debtUs: number;
}

/**
 * Takes `cost` tokens at `nowUs` from a bucket that is full again at `fullAtUs` (0 for one never used). The new state is
 * `nowUs + debtUs`, be the take allowed or denied. A state further off than an empty bucket can be is from another
 * clock, or from a policy with a longer window: it counts as empty, and since that is its new state, it is denied for
 * one window of this policy at the most.
 */
export function take(bucket: Bucket, fullAtUs: number, nowUs: number, cost: number): Taken {
  const debtUs = Math.min(Math.max(fullAtUs - nowUs, 0), bucket.capacityUs);
  const debtAfterUs = debtUs + cost * bucket.tokenUs;
  return debtAfterUs <= bucket.capacityUs ? { allowed: true, debtUs: debtAfterUs } : { allowed: false, debtUs };
}

/** What the client is told about a take. */
export function decisionOf(bucket: Bucket, taken: Taken, cost: number, mechanism: Mechanism): Decision {
  const { allowed, debtUs } = taken;
  const missingUs = debtUs + cost * bucket.tokenUs - bucket.capacityUs;
  return {
    allowed,
    limit: bucket.capacity,
    remaining: Math.floor((bucket.capacityUs - debtUs) / bucket.tokenUs),
    retryAfterMs: allowed ? 0 : cost > bucket.capacity ? Number.POSITIVE_INFINITY : missingUs / 1000,
    resetMs: debtUs / 1000,
    mechanism,
  };
}
