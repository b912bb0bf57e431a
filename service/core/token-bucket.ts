// The arithmetic of one token bucket, and the executable specification of every store that does it elsewhere.
//
// A bucket's whole state is one instant: when it will be full again (GCRA's "theoretical arrival time"). Every quantity
// is a whole number of microseconds, so that all implementations agree to the last bit:
//
//            now                fullAt            now + capacityUs
//   ──────────┼───────debtUs──────┼───────────────────┼──────▶
//                                 └─ tokens left × tokenUs ┘

/** How large a bucket is and how fast it refills: tokens, and tokens per second. */
export interface Rate {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** A rate in microseconds. */
export interface Bucket {
  /** Capacity in whole tokens. */
  readonly capacity: number;
  /**
   * Time in which one token refills: whole microseconds, rounded up, so that a key never gets more than its limit. A
   * fraction only where it is less than one microsecond.
   */
  readonly tokenUs: number;
  /** Time in which an empty bucket refills. */
  readonly capacityUs: number;
}

/** Absorbs the error of a division, so that 5 tokens in 10 s are exactly 2,000,000 µs each. */
const roundingUs = 1e-6;

export function bucketOf({ capacity, refillPerSecond }: Rate): Bucket {
  const exactUs = 1_000_000 / refillPerSecond;
  const tokenUs = exactUs < 1 ? exactUs : Math.ceil(exactUs - roundingUs);
  return { capacity, tokenUs, capacityUs: Math.ceil(capacity * tokenUs - roundingUs) };
}

/** What `cost` tokens are worth, in whole microseconds, rounded up. */
export function costUsOf({ tokenUs }: Bucket, cost: number): number {
  return Math.ceil(cost * tokenUs - roundingUs);
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

/**
 * What a bucket that is full again at `fullAtUs` (0 for one never used) owes at `nowUs`: the time until it is full. A
 * state further off than an empty bucket can be is from another clock, or from a limit with a longer window: it counts
 * as empty.
 */
export function debtUsAt({ capacityUs }: Bucket, fullAtUs: number, nowUs: number): number {
  return Math.min(Math.max(fullAtUs - nowUs, 0), capacityUs);
}

/** What a take leaves behind: `debtUs` is the time until the bucket is full again. */
export interface Taken {
  readonly allowed: boolean;
  readonly debtUs: number;
}

/**
 * Takes `cost` tokens at `nowUs` from a bucket that is full again at `fullAtUs`. The new state is `nowUs + debtUs`, be the
 * take allowed or denied; so one that counted as empty is written as empty, and is denied for one window at the most.
 */
export function take(bucket: Bucket, fullAtUs: number, nowUs: number, cost: number): Taken {
  const debtUs = debtUsAt(bucket, fullAtUs, nowUs);
  return holds(bucket, debtUs, cost)
    ? { allowed: true, debtUs: debtUs + costUsOf(bucket, cost) }
    : { allowed: false, debtUs };
}

/** Whether a bucket that owes `debtUs` holds `cost` tokens. */
export function holds(bucket: Bucket, debtUs: number, cost: number): boolean {
  return debtUs + costUsOf(bucket, cost) <= bucket.capacityUs;
}

/** What a bucket owes at `nowUs` after `backUs` are given back to it: it is never more than full. */
export function giveBack(bucket: Bucket, fullAtUs: number, nowUs: number, backUs: number): number {
  return Math.max(debtUsAt(bucket, fullAtUs, nowUs) - backUs, 0);
}
