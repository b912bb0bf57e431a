// What the shared store last said of each key, as far as it still matters. It serves twice:
//
// - the denial memo: tokens can only have become fewer since, through other instances, never more than the refill. So
//   until a denied key's bucket holds a token again at the earliest, this instance answers for the store without asking it;
// - the fallback: a key's fallback bucket starts from what the store had left for it, not full.
//
// An entry is the instant at which the bucket is full again, counted from when the take arrived here: the store
// decided later, so the true instant is later too, and a denial from memory never outlasts the store's own.

import { BucketMap } from './bucket-map.ts';
import type { Decision, Mechanism, Policy } from './store.ts';
import { type Bucket, bucketOf, decisionOf } from './token-bucket.ts';

export class LastDecisions {
  readonly #bucket: Bucket;
  readonly #keysMax: number;
  readonly #mechanism: Mechanism;
  readonly #known: BucketMap;

  /**
   * Of the store named `mechanism`. Beyond `keysMax` keys, one of the first to come is forgotten; that costs a question
   * to the store, no token.
   */
  constructor(policy: Policy, keysMax: number, mechanism: Mechanism) {
    this.#bucket = bucketOf(policy);
    this.#keysMax = keysMax;
    this.#mechanism = mechanism;
    this.#known = new BucketMap(keysMax);
  }

  get size(): number {
    return this.#known.size;
  }

  /** Where the key's entry is, to spare the other questions about this take the looking. */
  placeOf(key: string): number | undefined {
    return this.#known.placeOf(key);
  }

  /** Takes in a decision of the store about a take that arrived at `arrivedUs`, when the key's entry was at `place`. */
  learn(key: string, decision: Decision, arrivedUs: number, place?: number): void {
    this.#known.sweep(arrivedUs);
    if (this.#known.size >= this.#keysMax && this.#known.get(key) === undefined) this.#known.deleteOldestFor(key);
    this.#known.set(key, arrivedUs + Math.floor(decision.resetMs * 1000), place);
  }

  /** The store's denial, when it is certain that it would deny the key at `place`; undefined when it must be asked. */
  denialAt(place: number | undefined, cost: number, nowUs: number): Decision | undefined {
    if (place === undefined) return undefined;
    const debtUs = Math.min(this.#known.at(place) - nowUs, this.#bucket.capacityUs);
    if (debtUs + cost * this.#bucket.tokenUs <= this.#bucket.capacityUs) return undefined;
    return decisionOf(this.#bucket, { allowed: false, debtUs }, cost, this.#mechanism);
  }

  /** Tokens, with their fraction, that the store's bucket holds at the most; `Infinity` when nothing is known of the key. */
  tokensMax(key: string, nowUs: number): number {
    const fullAtUs = this.#known.get(key);
    if (fullAtUs === undefined || fullAtUs <= nowUs) return Number.POSITIVE_INFINITY;
    return (this.#bucket.capacityUs - Math.min(fullAtUs - nowUs, this.#bucket.capacityUs)) / this.#bucket.tokenUs;
  }

  /** Somebody gave the key its tokens back. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  /** The store may have lost its data, or is another one. */
  clear(): void {
    this.#known.clear();
  }
}
