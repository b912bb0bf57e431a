// The composition that keeps the promise: Redis decides when it can in time, the fallback otherwise; somebody always
// decides.
//
//   take ─▶ breaker closed? ─ yes ─▶ batcher ─▶ breaker ─▶ redis store ─▶ decision
//                │ no                               │ StoreError
//                └────────────▶ fallback ◀──────────┘

import type { Batcher } from './batcher.ts';
import type { Breaker } from './breaker.ts';
import type { LocalStore } from './local-store.ts';
import { type Decision, StoreError } from './store.ts';

export interface LimiterParts {
  readonly breaker: Breaker;
  readonly batcher: Batcher;
  readonly fallback: LocalStore;
}

export class Limiter {
  readonly #parts: LimiterParts;

  constructor(parts: LimiterParts) {
    this.#parts = parts;
  }

  /** Decides one take. Rejects only on a defect of ours, never because of Redis. */
  async take(key: string, cost: number): Promise<Decision> {
    const { breaker, batcher, fallback } = this.#parts;
    if (breaker.state !== 'closed') return fallback.take(key, cost);
    try {
      return await batcher.take({ key, cost });
    } catch (error) {
      if (error instanceof StoreError) return fallback.take(key, cost);
      throw error;
    }
  }
}
