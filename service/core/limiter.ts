// The composition that keeps the promise: the shared store decides when it can in time, the fallback otherwise; somebody
// always decides. A limit may say otherwise for an outage: to allow or to refuse, for a time.
//
//   take ─▶ breaker closed? ─ yes ─▶ denied, for all that is known? ─ no ─▶ batcher ─▶ breaker ─▶ store ─▶ decision
//                │ no                          │ yes: decided                 │ StoreError
//                └────────────▶ fallback ◀─────┼──────────────────────────────┘
//                                              ▼

import type { Waiting } from './batcher.ts';
import type { LocalStore } from './local-store.ts';
import type { Shard, Topology } from './shard.ts';
import { type Asker, type Decision, type Outcome, type Store, StoreError, type Take } from './store.ts';
import { decideWithoutStore } from './store-failure.ts';

export interface LimiterParts {
  readonly topology: Topology;
  readonly fallback: LocalStore;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** Told every decision, how many seconds it took, and on what. */
  readonly onDecision: (decision: Decision, seconds: number, take: Take) => void;
}

/** An outage is over when the store has answered, and failed no take for so long. */
const calmUs = 10_000_000;

interface Outage {
  /** When the first take failed. */
  readonly sinceUs: number;
  /** When the last one did. */
  readonly lastUs: number;
  /** Whether the store has answered a take since. */
  isAnswered: boolean;
}

export class Limiter implements Store {
  readonly #parts: LimiterParts;
  /** By shard. One that is over may still be here, until the store is asked again. */
  readonly #outages = new Map<Shard | undefined, Outage>();

  constructor(parts: LimiterParts) {
    this.#parts = parts;
  }

  /**
   * Decides one take: at once where nobody need be asked, else by a promise. Throws or rejects only on a defect of ours,
   * never because of the store.
   */
  decide(take: Take): Decision | Promise<Decision> {
    const decided = this.#decideAtOnce(take);
    if (!(decided instanceof Question)) return decided;
    return new Promise((resolve, reject) => decided.ask({ decided: resolve, failed: reject }));
  }

  /** As `decide`, for many: what a promise costs is a good part of a take. Undefined where the asker is told later. */
  ask(take: Take, asker: Asker): Decision | undefined {
    const decided = this.#decideAtOnce(take);
    if (!(decided instanceof Question)) return decided;
    decided.ask(asker);
    return undefined;
  }

  #decideAtOnce(take: Take): Decision | Question {
    const { topology, nowUs } = this.#parts;
    const arrivedUs = nowUs();
    const shard = topology.shardOf(take.key);
    if (shard?.breaker.state !== 'closed') return this.#tell(this.#decideLocally(shard, take), arrivedUs, take);
    const place = shard.last.placeOf(take);
    const denial = shard.last.denialOf(take, place, arrivedUs);
    if (denial) return this.#tell(denial, arrivedUs, take);
    return new Question(take, shard, place, arrivedUs, this.#conclude);
  }

  readonly #conclude = ({ take, shard, place, arrivedUs }: Question, outcome: Outcome): Decision => {
    if (outcome instanceof StoreError) {
      const decision = isOfKey(outcome)
        ? this.#byFallback(shard, take, arrivedUs, 'decide')
        : this.#decideLocally(shard, take);
      return this.#tell(decision, arrivedUs, take);
    }
    if (this.#outages.size > 0) this.#answered(shard, arrivedUs);
    shard.last.learn(take, outcome, arrivedUs, place);
    return this.#tell(outcome, arrivedUs, take);
  };

  /** The store's denial that `decide` would repeat from memory, without asking it; undefined where there is none. */
  remembered(take: Take): Decision | undefined {
    const { topology, nowUs } = this.#parts;
    const shard = topology.shardOf(take.key);
    return shard?.breaker.state === 'closed' ? shard.last.denialOf(take, shard.last.placeOf(take), nowUs()) : undefined;
  }

  /** What `decide` would say without the store, which failed for this reason, with the tokens that are there now; takes nothing. */
  lookLocally(take: Take, why: StoreError): Decision {
    const { topology, nowUs } = this.#parts;
    const shard = topology.shardOf(take.key);
    return isOfKey(why)
      ? this.#byFallback(shard, take, nowUs(), 'look')
      : this.#withoutStore(shard, take, nowUs(), 'look');
  }

  #decideLocally(shard: Shard | undefined, take: Take): Decision {
    const atUs = this.#parts.nowUs();
    const outage = this.#outageAt(shard, atUs);
    if (!outage) this.#forgetGone();
    this.#outages.set(shard, { sinceUs: outage?.sinceUs ?? atUs, lastUs: atUs, isAnswered: false });
    return this.#withoutStore(shard, take, atUs, 'decide');
  }

  #withoutStore(shard: Shard | undefined, take: Take, atUs: number, how: 'decide' | 'look'): Decision {
    const sinceUs = this.#outageAt(shard, atUs)?.sinceUs ?? atUs;
    return decideWithoutStore(take, (atUs - sinceUs) / 1000, (left) => this.#byFallback(shard, left, atUs, how));
  }

  #byFallback(shard: Shard | undefined, take: Take, atUs: number, how: 'decide' | 'look'): Decision {
    const { fallback } = this.#parts;
    return shard ? fallback[how](take, (charge) => shard.last.tokensMax(charge, atUs)) : fallback[how](take);
  }

  /** A store that answers now and then is still the same outage: else a budget for it would never be used up. */
  #answered(shard: Shard, atUs: number): void {
    for (const failing of [shard, undefined]) {
      const outage = this.#outages.get(failing);
      if (!outage || atUs < outage.lastUs) continue; // asked before the last one failed
      outage.isAnswered = true;
      if (!this.#outageAt(failing, atUs)) this.#outages.delete(failing);
    }
  }

  /** The one that lasts. Where the store has answered, it is over by the time alone: perhaps nobody has asked since. */
  #outageAt(shard: Shard | undefined, atUs: number): Outage | undefined {
    const outage = this.#outages.get(shard);
    return outage?.isAnswered && atUs - outage.lastUs >= calmUs ? undefined : outage;
  }

  /** A shard whose master was replaced, with all that it knew, would be kept for ever by its outage. */
  #forgetGone(): void {
    const { shards } = this.#parts.topology;
    for (const shard of this.#outages.keys()) if (shard && !shards.includes(shard)) this.#outages.delete(shard);
  }

  /** Every decision leaves through here. */
  #tell(decision: Decision, arrivedUs: number, take: Take): Decision {
    const { onDecision, nowUs } = this.#parts;
    onDecision(decision, (nowUs() - arrivedUs) / 1_000_000, take);
    return decision;
  }
}

/**
 * The store is there, and cannot count this key alone. So it is no outage: it would last as long as the key is asked for,
 * and use up the budgets of all other keys.
 */
function isOfKey({ reason }: StoreError): boolean {
  return reason === 'wrongtype';
}

/** A take that only its shard's store can decide, on its way there. */
class Question implements Waiting {
  readonly take: Take;
  readonly shard: Shard;
  readonly place: number | undefined;
  readonly arrivedUs: number;
  readonly #conclude: (question: Question, outcome: Outcome) => Decision;
  #asker: Asker | undefined;

  constructor(
    take: Take,
    shard: Shard,
    place: number | undefined,
    arrivedUs: number,
    conclude: (question: Question, outcome: Outcome) => Decision,
  ) {
    this.take = take;
    this.shard = shard;
    this.place = place;
    this.arrivedUs = arrivedUs;
    this.#conclude = conclude;
  }

  ask(asker: Asker): void {
    this.#asker = asker;
    this.shard.batcher.ask(this);
  }

  ended(outcome: Outcome): void {
    this.#asker?.decided(this.#conclude(this, outcome));
  }

  failed(defect: unknown): void {
    this.#asker?.failed(defect);
  }
}
