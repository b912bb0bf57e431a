// The composition that keeps the promise: the shared store decides when it can in time, the fallback otherwise; somebody
// always decides.
//
//   take ─▶ breaker closed? ─ yes ─▶ denied, for all that is known? ─ no ─▶ batcher ─▶ breaker ─▶ store ─▶ decision
//                │ no                          │ yes: decided                 │ StoreError
//                └────────────▶ fallback ◀─────┼──────────────────────────────┘
//                                              ▼

import type { LocalStore } from './local-store.ts';
import type { Shard, Topology } from './shard.ts';
import { type Decision, type Store, StoreError, type Take } from './store.ts';

export interface LimiterParts {
  readonly topology: Topology;
  readonly fallback: LocalStore;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
}

export class Limiter implements Store {
  readonly #parts: LimiterParts;

  constructor(parts: LimiterParts) {
    this.#parts = parts;
  }

  /**
   * Decides one take: at once where nobody need be asked, else by a promise. Throws or rejects only on a defect of ours,
   * never because of the store.
   */
  take(take: Take): Decision | Promise<Decision> {
    const { topology, nowUs } = this.#parts;
    const { key, cost } = take;
    const shard = topology.shardOf(key);
    if (shard?.breaker.state !== 'closed') return this.#takeLocally(shard, take);
    const arrivedUs = nowUs();
    const place = shard.last.placeOf(key);
    const denial = shard.last.denialAt(place, cost, arrivedUs);
    if (denial) return denial;
    return shard.batcher.take(take, (outcome) => {
      if (outcome instanceof StoreError) return this.#takeLocally(shard, take);
      shard.last.learn(key, outcome, arrivedUs, place);
      return outcome;
    });
  }

  /**
   * Gives the key a full bucket here and in the store. Other instances may go on denying it for as long as the store told
   * them to. Rejects when the store does not hear it.
   */
  async reset(key: string): Promise<void> {
    const shard = this.#parts.topology.shardOf(key);
    this.#parts.fallback.forget(key);
    shard?.last.forget(key);
    if (!shard) throw new StoreError('disconnected', 'no store is known for this key');
    await shard.store.reset(key);
    shard.last.forget(key); // and what the store said while it was asked
  }

  #takeLocally(shard: Shard | undefined, take: Take): Decision {
    const { fallback, nowUs } = this.#parts;
    return fallback.take(take, shard?.last.tokensMax(take.key, nowUs()));
  }
}
