// The limiter as an application sees it. Types alone: index.ts makes one.

import type { LimitOption } from './limiter-options.ts';

export interface Limiter {
  /**
   * Takes tokens of the key, if all limits allow it. Resolves within the deadline of Redis, whatever becomes of that. Rejects
   * only for a mistake of the caller's: a key that is no string or empty, a cost that is no whole number from 1, a policy
   * that is not there, a limiter that is closed.
   */
  take(key: string, options?: TakeOptions): Promise<Decision>;
  /** What `take` would say now; takes nothing. */
  look(key: string, options?: TakeOptions): Promise<Decision>;
  /**
   * Gives the key all its tokens, in Redis or, while that is away, in this process. Resolves to what `take` would say now;
   * `mechanism` tells where. Rejects as `take` does.
   */
  reset(key: string, options?: TakeOptions): Promise<Decision>;
  /** Gives the cost of a take back, as `reset` does; never more than fills the bucket. */
  refund(key: string, options?: TakeOptions): Promise<Decision>;
  /**
   * Throws an `OptionsError` for options that `take` would reject, and for a cost that the limits never allow, so that a
   * start can find them.
   */
  check(options?: TakeOptions): void;
  /** How it is now. */
  readonly status: LimiterStatus;
  /** Closes its connections. Takes that have begun are decided, later ones are rejected. Once is enough, and more do no harm. */
  close(): Promise<void>;
}

export interface TakeOptions {
  /** Tokens: a whole number from 1; 1 without it. */
  readonly cost?: number | undefined;
  /** By name; without it the one called `default`, or the only one. */
  readonly policy?: string | undefined;
  /** Limits of this take's own, in place of a policy. Takes of the same key and the same limits share their buckets. */
  readonly limits?: LimitOption | readonly LimitOption[] | undefined;
}

/** The answer to one take. Of several limits, the one that binds is told. */
export interface Decision {
  readonly allowed: boolean;
  /** Capacity of the bucket that decided, in tokens. */
  readonly limit: number;
  /** Whole tokens left; absent where no bucket stands behind the decision. */
  readonly remaining?: number;
  /** Milliseconds until so many tokens are there again; 0 when allowed, `Infinity` when the cost exceeds the capacity. */
  readonly retryAfterMs: number;
  /** Milliseconds until the bucket is full again. */
  readonly resetMs: number;
  /** Who decided: Redis, or this process's memory; `open` or `closed` when a policy says so for an outage. */
  readonly mechanism: 'redis' | 'fallback' | 'open' | 'closed';
  /** The limit of the bucket that decided. */
  readonly quota: {
    /** The name of the policy, and of the limit where the policy has several. */
    readonly name: string;
    readonly capacity: number;
    /** Time in which an empty bucket refills. */
    readonly windowMs: number;
  };
  /** With several limits, each of them. */
  readonly each?: readonly Decision[];
}

export interface LimiterStatus {
  /** Who decides now; with several masters, `redis` only when that holds for every key. */
  readonly mechanism: 'redis' | 'fallback';
  /** Why Redis does not decide, one for each Redis that does not. */
  readonly causes: readonly { readonly redis: string; readonly reason: string; readonly message: string }[];
  /** How many processes share the limits, as far as known. */
  readonly instances: number;
}
