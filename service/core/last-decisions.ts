// What the shared store last said of each bucket, as far as it still matters. It serves twice:
//
// - the denial memo: tokens can only have become fewer since, through other instances, never more than the refill. So
//   until a denied take's bucket holds a token again at the earliest, this instance answers for the store without asking it;
// - the fallback: a fallback bucket starts from what the store had left in its own, not full.
//
// An entry is the instant at which the bucket is full again, counted from when the take arrived here: the store
// decided later, so the true instant is later too, and a denial from memory never outlasts the store's own.

import { BucketMap } from './bucket-map.ts';
import { decisionOfTake } from './decision.ts';
import type { ForgivenDebt } from './give-back.ts';
import type { Charge, Decision, Mechanism, Take } from './store.ts';
import { holds } from './token-bucket.ts';

export class LastDecisions {
  readonly #keysMax: number;
  readonly #mechanism: Mechanism;
  readonly #known: BucketMap;

  /**
   * Of the store named `mechanism`. Beyond `keysMax` buckets, one of the first to come is forgotten; that costs a question
   * to the store, no token.
   */
  constructor(keysMax: number, mechanism: Mechanism) {
    this.#keysMax = keysMax;
    this.#mechanism = mechanism;
    this.#known = new BucketMap(keysMax);
  }

  get size(): number {
    return this.#known.size;
  }

  /** Where the entry of the take's first bucket is, to spare the other questions about this take the looking. */
  placeOf({ charges }: Take): number | undefined {
    return this.#known.placeOf((charges[0] as Charge).bucket);
  }

  /** Takes in a decision of the store about a take that arrived at `arrivedUs`, when its entry was at `place`. */
  learn({ charges }: Take, decision: Decision, arrivedUs: number, place?: number): void {
    this.#known.sweep(arrivedUs);
    for (let i = 0; i < charges.length; i++) {
      const { bucket } = charges[i] as Charge;
      const { resetMs } = decision.each?.[i] ?? decision;
      if (this.#known.size >= this.#keysMax && this.#known.get(bucket) === undefined)
        this.#known.deleteOldestFor(bucket);
      this.#known.set(bucket, arrivedUs + Math.floor(resetMs * 1000), i === 0 ? place : undefined);
    }
  }

  /** The store's denial, when it is certain that it would deny the take, whose entry is at `place`; undefined when it must be asked. */
  denialOf(take: Take, place: number | undefined, nowUs: number): Decision | undefined {
    const { charges } = take;
    let denied = false;
    for (let i = 0; i < charges.length && !denied; i++) {
      const { limit, bucket, cost } = charges[i] as Charge;
      const at = i === 0 ? place : this.#known.placeOf(bucket);
      denied = at !== undefined && !holds(limit.shared, this.#debtUsAt(at, limit.shared.capacityUs, nowUs), cost);
    }
    if (!denied) return undefined;
    const debtsUs = charges.map(({ limit, bucket }, i) =>
      this.#debtUsAt(i === 0 ? place : this.#known.placeOf(bucket), limit.shared.capacityUs, nowUs),
    );
    return decisionOfTake(take, 'shared', false, debtsUs, this.#mechanism);
  }

  /** Tokens, with their fraction, that the store's bucket holds at the most; `Infinity` when nothing is known of it. */
  tokensMax({ limit, bucket }: Charge, nowUs: number): number {
    const fullAtUs = this.#known.get(bucket);
    if (fullAtUs === undefined || fullAtUs <= nowUs) return Number.POSITIVE_INFINITY;
    const { capacityUs, tokenUs } = limit.shared;
    return (capacityUs - Math.min(fullAtUs - nowUs, capacityUs)) / tokenUs;
  }

  /** The store gave tokens back: the bucket owes so much less, and perhaps less than was known of it. */
  forgive({ bucket, us }: ForgivenDebt): void {
    const fullAtUs = this.#known.get(bucket);
    if (us === Number.POSITIVE_INFINITY) this.#known.delete(bucket);
    else if (fullAtUs !== undefined) this.#known.set(bucket, fullAtUs - us);
  }

  /** The store may have lost its data, or is another one. */
  clear(): void {
    this.#known.clear();
  }

  /** What the bucket at a place owes, at the least; nothing where none is known. */
  #debtUsAt(place: number | undefined, capacityUs: number, nowUs: number): number {
    return place === undefined ? 0 : Math.max(0, Math.min(this.#known.at(place) - nowUs, capacityUs));
  }
}
