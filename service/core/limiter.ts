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
  /** Told every decision, and how many seconds it took. */
  readonly onDecision: (decision: Decision, seconds: number) => void;
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
  decide(take: Take): Decision | Promise<Decision> {
    const { topology, nowUs } = this.#parts;
    const arrivedUs = nowUs();
    const shard = topology.shardOf(take.key);
    if (shard?.breaker.state !== 'closed') return this.#tell(this.#decideLocally(shard, take), arrivedUs);
    const place = shard.last.placeOf(take);
    const denial = shard.last.denialOf(take, place, arrivedUs);
    if (denial) return this.#tell(denial, arrivedUs);
    return shard.batcher.decide(take, (outcome) => {
      if (outcome instanceof StoreError) return this.#tell(this.#decideLocally(shard, take), arrivedUs);
      shard.last.learn(take, outcome, arrivedUs, place);
      return this.#tell(outcome, arrivedUs);
    });
  }

  /**
   * Gives the take's buckets all their tokens, here and in the store. Other instances may go on denying it for as long as
   * the store told them to. Rejects when the store does not hear it.
   */
  async reset(take: Take): Promise<void> {
    const shard = this.#parts.topology.shardOf(take.key);
    this.#parts.fallback.forget(take);
    shard?.last.forget(take);
    if (!shard) throw new StoreError('disconnected', 'no store is known for this key');
    await shard.store.reset(take);
    shard.last.forget(take); // and what the store said while it was asked
  }

  #decideLocally(shard: Shard | undefined, take: Take): Decision {
    const { fallback, nowUs } = this.#parts;
    if (!shard) return fallback.decide(take);
    const atUs = nowUs();
    return fallback.decide(take, (charge) => shard.last.tokensMax(charge, atUs));
  }

  /** Every decision leaves through here. */
  #tell(decision: Decision, arrivedUs: number): Decision {
    const { onDecision, nowUs } = this.#parts;
    onDecision(decision, (nowUs() - arrivedUs) / 1_000_000);
    return decision;
  }
}
