// The fallback: token buckets in this process's memory, used while the shared store cannot answer.
//
// Memory is bounded. A bucket that is full again is soon forgotten, since a new one would be the same. When as many keys
// as allowed are in use at once, further keys share a fixed number of a limit's overflow buckets, chosen by hash. So no bucket in
// use is ever dropped, which means that nobody can wash a denied key clean by sending many others; the price is that
// strangers may share a bucket while the flood lasts.
//
// Each of n instances refills at an n-th of the limit's rate. That is a clock which runs n times slower, so a change
// of n leaves every bucket's tokens as they are.

import { BucketMap } from './bucket-map.ts';
import { decisionOf, decisionOfAll } from './decision.ts';
import { hashOf } from './hash.ts';
import type { Limit, LimitBucket, Quota } from './limit.ts';
import type { Charge, Decision, Store, Take } from './store.ts';
import { costUsOf, debtUsAt, holds } from './token-bucket.ts';

export interface LocalStoreOptions {
  /** At most this many buckets of their own. */
  readonly keysMax: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
}

/** What is known of a charge before it is decided. */
interface Standing {
  readonly charge: Charge;
  readonly debtUs: number;
  /** It has a bucket of its own, full or not. */
  readonly isKnown: boolean;
}

const overflowBuckets = 4096;
/** Limits with overflow buckets at the most, since callers may bring any number of limits. 8 MiB. */
const overflowsMax = 256;

export class LocalStore implements Store {
  readonly #keysMax: number;
  readonly #nowUs: () => number;
  readonly #own: BucketMap;
  /** Of each limit by itself, by its prefix: what fills a day would be far too much for what fills a second. */
  readonly #overflow = new Map<string, Float64Array>();
  #instances = 1;
  /** Of this instance alone, by limit; each the same object until the instances change. */
  #quotas = new WeakMap<Limit, Quota>();
  /** The slowed clock's last change of speed, on both clocks. */
  #changedAtUs = { real: 0, slowed: 0 };

  constructor({ keysMax, nowUs }: LocalStoreOptions) {
    this.#keysMax = keysMax;
    this.#own = new BucketMap(keysMax);
    this.#nowUs = nowUs;
  }

  /** Buckets in memory, the shared ones not counted. */
  get size(): number {
    return this.#own.size;
  }

  get instances(): number {
    return this.#instances;
  }

  /** How many instances share the refill from now on. */
  set instances(count: number) {
    const real = this.#nowUs();
    this.#changedAtUs = { real, slowed: this.#slowed(real) };
    this.#instances = count;
    this.#quotas = new WeakMap();
  }

  /**
   * Decides at once; never fails. A bucket that is not here yet begins with as many tokens as `tokensMax` says at the most.
   */
  decide({ charges }: Take, tokensMax: (charge: Charge) => number = unbounded): Decision {
    const nowUs = Math.floor(this.#slowed(this.#nowUs()));
    this.#own.sweep(nowUs);
    const standings = charges.map((charge) => this.#standingOf(charge, nowUs, tokensMax));
    const allowed = standings.every(({ charge, debtUs }) => holds(charge.limit.fallback, debtUs, charge.cost));
    const each = standings.map((standing) => this.#settle(standing, nowUs, allowed));
    return each.length === 1 ? (each[0] as Decision) : decisionOfAll(each, allowed);
  }

  /** What `decide` would say, with the tokens that are there now; takes nothing. */
  look(take: Take, tokensMax: (charge: Charge) => number = unbounded): Decision {
    const nowUs = Math.floor(this.#slowed(this.#nowUs()));
    const standings = take.charges.map((charge) => this.#standingOf(charge, nowUs, tokensMax));
    const each = standings.map(({ charge, debtUs }) => this.#told(charge, debtUs, false));
    return each.length === 1
      ? (each[0] as Decision)
      : decisionOfAll(
          each,
          each.every(({ allowed }) => allowed),
        );
  }

  /** The bucket is full again. A shared one, where it has none of its own, stays as it is: others use it too. */
  forget(bucket: string): void {
    this.#own.delete(bucket);
  }

  /** The bucket owes less by what the charge costs. A shared one stays as it is, likewise. */
  giveBack({ limit, bucket, cost }: Charge): void {
    const fullAtUs = this.#own.get(bucket);
    if (fullAtUs !== undefined) this.#own.set(bucket, fullAtUs - costUsOf(limit.fallback, cost));
  }

  /** These limits are no more. Their buckets are forgotten when they are full, the shared ones at once. */
  forgetLimits(limits: readonly Limit[]): void {
    for (const { prefix } of limits) this.#overflow.delete(prefix);
  }

  #standingOf(charge: Charge, nowUs: number, tokensMax: (charge: Charge) => number): Standing {
    const { limit, bucket } = charge;
    const ownFullAtUs = this.#own.get(bucket);
    const inUse = ownFullAtUs !== undefined && ownFullAtUs > nowUs; // a full bucket is the same as none
    // One that gets a bucket of its own takes the debt of its shared one along: room that appears pardons nobody.
    const fullAtUs = inUse
      ? ownFullAtUs
      : Math.max(
          this.#overflow.get(limit.prefix)?.[placeOf(bucket)] ?? 0,
          nowUs + debtUsOf(limit.fallback, tokensMax(charge)),
        );
    return { charge, debtUs: debtUsAt(limit.fallback, fullAtUs, nowUs), isKnown: ownFullAtUs !== undefined };
  }

  /** Writes down what the bucket owes now, and tells it. */
  #settle({ charge, debtUs: before, isKnown }: Standing, nowUs: number, allowed: boolean): Decision {
    const { limit, bucket, cost } = charge;
    const debtUs = allowed ? before + costUsOf(limit.fallback, cost) : before;
    if (debtUs > 0) {
      if (isKnown || this.#own.size < this.#keysMax) this.#own.set(bucket, nowUs + debtUs);
      else if (allowed) this.#overflowOf(limit)[placeOf(bucket)] = nowUs + debtUs;
    }
    return this.#told(charge, debtUs, allowed);
  }

  /** What is said of a bucket that owes `debtUs`, be it after its take was allowed or without any. */
  #told({ limit, cost }: Charge, debtUs: number, allowed: boolean): Decision {
    const held = allowed || holds(limit.fallback, debtUs, cost);
    const decision = decisionOf(limit.fallback, { allowed: held, debtUs }, cost, 'fallback');
    if (this.#instances === 1) return decision;
    const { retryAfterMs, resetMs } = decision;
    return {
      ...decision,
      retryAfterMs: retryAfterMs * this.#instances,
      resetMs: resetMs * this.#instances,
      quota: this.#quotaOf(limit),
    };
  }

  #overflowOf({ prefix }: Limit): Float64Array {
    let overflow = this.#overflow.get(prefix);
    if (!overflow) {
      const [oldest] = this.#overflow.keys();
      if (oldest !== undefined && this.#overflow.size >= overflowsMax) this.#overflow.delete(oldest);
      overflow = new Float64Array(overflowBuckets);
      this.#overflow.set(prefix, overflow);
    }
    return overflow;
  }

  #quotaOf(limit: Limit): Quota {
    let quota = this.#quotas.get(limit);
    if (!quota) {
      const { quota: whole } = limit.fallback;
      quota = { ...whole, windowMs: whole.windowMs * this.#instances };
      this.#quotas.set(limit, quota);
    }
    return quota;
  }

  #slowed(realUs: number): number {
    return this.#changedAtUs.slowed + (realUs - this.#changedAtUs.real) / this.#instances;
  }
}

const unbounded = () => Number.POSITIVE_INFINITY;

/** Where in the overflow it is. */
function placeOf(bucket: string): number {
  return hashOf(bucket) % overflowBuckets;
}

/** What a bucket with so many tokens owes. */
function debtUsOf({ capacity, tokenUs }: LimitBucket, tokens: number): number {
  return Math.ceil(Math.max(0, capacity - Math.max(0, tokens)) * tokenUs);
}
