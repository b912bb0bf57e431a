// Tokens that go back to the buckets they were taken from: after a support call, or when a request came to nothing.

import type { Take } from './store.ts';

/** Gives a take's buckets something back: to all of them, or to none. A bucket is never more than full. */
export interface GiveBack {
  readonly take: Take;
  /** To each bucket: `nothing`, which only looks; the `cost` of the take; or `all`. */
  readonly amount: 'nothing' | 'cost' | 'all';
  /** The caller's name for it: the second of a name gives nothing to the same key. */
  readonly id?: string;
}

/** What became of it. */
export interface GivenBack {
  /** None of the same id has been before. */
  readonly isNew: boolean;
  /** What each bucket owes afterwards, in microseconds. */
  readonly debtsUs: readonly number[];
}

/** Debt of a bucket that is no more: news for whoever remembers what it owed. */
export interface ForgivenDebt {
  readonly bucket: string;
  /** Microseconds; `Infinity` for all of it. */
  readonly us: number;
}
