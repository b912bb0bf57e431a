// The composition that keeps the promise: the shared store decides when it can in time, the fallback otherwise; somebody
// always decides. A limit may say otherwise for an outage: to allow or to refuse, for a time.
//
//   take ─▶ breaker closed? ─ yes ─▶ denied, for all that is known? ─ no ─▶ batcher ─▶ breaker ─▶ store ─▶ decision
//                │ no                          │ yes: decided                 │ StoreError
//                └────────────▶ fallback ◀─────┼──────────────────────────────┘
//                                              ▼

import type { LocalStore } from './local-store.ts';
import type { Shard, Topology } from './shard.ts';
import { type Decision, type Store, StoreError, type Take } from './store.ts';
import { decideWithoutStore } from './store-failure.ts';

export interface LimiterParts {
  readonly topology: Topology;
  readonly fallback: LocalStore;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** Told every decision, how many seconds it took, and on what. */
  readonly onDecision: (decision: Decision, seconds: number, take: Take) => void;
}

export class Limiter implements Store {
  readonly #parts: LimiterParts;
  /** Since when a shard has answered no take, of those that have failed to. */
  readonly #failingSinceUs = new Map<Shard | undefined, number>();

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
    if (shard?.breaker.state !== 'closed') return this.#tell(this.#decideLocally(shard, take), arrivedUs, take);
    const place = shard.last.placeOf(take);
    const denial = shard.last.denialOf(take, place, arrivedUs);
    if (denial) return this.#tell(denial, arrivedUs, take);
    return shard.batcher.decide(take, (outcome) => {
      if (outcome instanceof StoreError) return this.#tell(this.#decideLocally(shard, take), arrivedUs, take);
      if (this.#failingSinceUs.size > 0) this.#answered(shard);
      shard.last.learn(take, outcome, arrivedUs, place);
      return this.#tell(outcome, arrivedUs, take);
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
    const atUs = nowUs();
    const sinceUs = this.#failingSinceUs.get(shard) ?? atUs;
    this.#failingSinceUs.set(shard, sinceUs);
    return decideWithoutStore(take, (atUs - sinceUs) / 1000, (left) =>
      shard ? fallback.decide(left, (charge) => shard.last.tokensMax(charge, atUs)) : fallback.decide(left),
    );
  }

  #answered(shard: Shard): void {
    this.#failingSinceUs.delete(shard);
    this.#failingSinceUs.delete(undefined); // somebody is known
  }

  /** Every decision leaves through here. */
  #tell(decision: Decision, arrivedUs: number, take: Take): Decision {
    const { onDecision, nowUs } = this.#parts;
    onDecision(decision, (nowUs() - arrivedUs) / 1_000_000, take);
    return decision;
  }
}
