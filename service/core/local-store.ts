// The fallback: token buckets in this process's memory, one per key, used while the shared store cannot answer.
//
// Memory is bounded. A bucket that is full again is soon forgotten, since a new one would be the same. When as many keys
// as allowed are in use at once, further keys share a fixed number of overflow buckets, chosen by hash. So no bucket in
// use is ever dropped, which means that nobody can wash a denied key clean by sending many others; the price is that
// strangers may share a bucket while the flood lasts.
//
// Each of n instances refills at an n-th of the policy's rate. That is a clock which runs n times slower, so a change
// of n leaves every bucket's tokens as they are.

import { BucketMap } from './bucket-map.ts';
import { hashOf } from './hash.ts';
import type { Decision, Policy, Store, Take } from './store.ts';
import { type Bucket, bucketOf, decisionOf, take } from './token-bucket.ts';

export interface LocalStoreOptions {
  /** At most this many buckets of their own. */
  readonly keysMax: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
}

const overflowBuckets = 4096;

export class LocalStore implements Store {
  readonly #policy: Policy;
  readonly #bucket: Bucket;
  readonly #keysMax: number;
  readonly #nowUs: () => number;
  readonly #own: BucketMap;
  readonly #overflowFullAtUs = new Float64Array(overflowBuckets);
  #instances = 1;
  #ownPolicy: Policy;
  /** The slowed clock's last change of speed, on both clocks. */
  #changedAtUs = { real: 0, slowed: 0 };

  /** `policy`: that of all instances together; each of them gets its capacity, and its share of the refill. */
  constructor(policy: Policy, { keysMax, nowUs }: LocalStoreOptions) {
    this.#policy = policy;
    this.#ownPolicy = policy;
    this.#bucket = bucketOf(policy);
    this.#keysMax = keysMax;
    this.#own = new BucketMap(keysMax);
    this.#nowUs = nowUs;
  }

  /** Buckets in memory, the shared ones not counted. */
  get size(): number {
    return this.#own.size;
  }

  /** The policy of this instance alone; the same object until the instances change. */
  get policy(): Policy {
    return this.#ownPolicy;
  }

  get instances(): number {
    return this.#instances;
  }

  /** How many instances share the refill from now on. */
  set instances(count: number) {
    const real = this.#nowUs();
    this.#changedAtUs = { real, slowed: this.#slowed(real) };
    this.#instances = count;
    this.#ownPolicy = { ...this.#policy, refillPerSecond: this.#policy.refillPerSecond / count };
  }

  /** Decides at once; never fails. A key that has no bucket yet gets one with `tokensMax` tokens at the most. */
  take({ key, cost }: Take, tokensMax: number = Number.POSITIVE_INFINITY): Decision {
    const nowUs = Math.floor(this.#slowed(this.#nowUs()));
    this.#own.sweep(nowUs);
    const ownFullAtUs = this.#own.get(key);
    const inUse = ownFullAtUs !== undefined && ownFullAtUs > nowUs; // a full bucket is the same as none
    const shared = hashOf(key) % overflowBuckets;
    // A key that gets a bucket of its own takes the debt of its shared one along: room that appears pardons nobody.
    const fullAtUs = inUse
      ? ownFullAtUs
      : Math.max(this.#overflowFullAtUs[shared] ?? 0, nowUs + this.#debtUsOf(Math.max(0, tokensMax)));
    const taken = take(this.#bucket, fullAtUs, nowUs, cost);
    if (taken.debtUs > 0) {
      if (ownFullAtUs !== undefined || this.#own.size < this.#keysMax) this.#own.set(key, nowUs + taken.debtUs);
      else if (taken.allowed) this.#overflowFullAtUs[shared] = nowUs + taken.debtUs;
    }
    const decision = decisionOf(this.#bucket, taken, cost, 'fallback');
    if (this.#instances === 1) return decision;
    const { retryAfterMs, resetMs } = decision;
    return { ...decision, retryAfterMs: retryAfterMs * this.#instances, resetMs: resetMs * this.#instances };
  }

  /** The key's bucket is full again. The shared one, if it has none, stays as it is: it is not the key's alone. */
  forget(key: string): void {
    this.#own.delete(key);
  }

  /** What a bucket with so many tokens owes. */
  #debtUsOf(tokens: number): number {
    return Math.ceil(Math.max(0, this.#bucket.capacity - tokens) * this.#bucket.tokenUs);
  }

  #slowed(realUs: number): number {
    return this.#changedAtUs.slowed + (realUs - this.#changedAtUs.real) / this.#instances;
  }
}
