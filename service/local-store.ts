// The fallback: token buckets in this process's memory, one per key, used while Redis cannot answer.
//
// Memory is bounded. A bucket that is full again is forgotten, since a new one would be the same. When as many keys as
// allowed are in use at once, further keys share a fixed number of overflow buckets, chosen by hash. So no bucket in
// use is ever dropped, which means that nobody can wash a denied key clean by sending many others; the price is that
// strangers may share a bucket while the flood lasts.

import type { Decision, Policy } from './store.ts';
import { bucketOf, decisionOf, take } from './token-bucket.ts';

export interface LocalStoreOptions {
  /** At most this many buckets of their own. */
  readonly keysMax: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
}

const overflowBuckets = 4096;
/** How many buckets one take looks at to see whether they may be forgotten: more than it can add. */
const sweptPerTake = 4;

export class LocalStore {
  readonly #bucket;
  readonly #keysMax;
  readonly #nowUs;
  /** When each key's bucket is full again. */
  readonly #fullAtUs = new Map<string, number>();
  readonly #overflowFullAtUs = new Float64Array(overflowBuckets);
  #sweep: IterableIterator<[string, number]> | undefined;

  constructor(policy: Policy, { keysMax, nowUs }: LocalStoreOptions) {
    this.#bucket = bucketOf(policy);
    this.#keysMax = keysMax;
    this.#nowUs = nowUs;
  }

  /** Buckets in memory, the shared ones not counted. */
  get size(): number {
    return this.#fullAtUs.size;
  }

  /** Decides at once; never fails. */
  take(key: string, cost: number): Decision {
    const nowUs = Math.floor(this.#nowUs());
    this.#forgetFull(nowUs);
    const fullAtUs = this.#fullAtUs.get(key);
    const taken =
      fullAtUs === undefined && this.#fullAtUs.size >= this.#keysMax
        ? this.#takeShared(key, nowUs, cost)
        : this.#takeOwn(key, fullAtUs ?? this.#sharedFullAtUs(key), nowUs, cost);
    return decisionOf(this.#bucket, taken, cost, 'fallback');
  }

  #takeOwn(key: string, fullAtUs: number, nowUs: number, cost: number) {
    const taken = take(this.#bucket, fullAtUs, nowUs, cost);
    if (taken.allowed) this.#fullAtUs.set(key, nowUs + taken.debtUs);
    return taken;
  }

  #takeShared(key: string, nowUs: number, cost: number) {
    const taken = take(this.#bucket, this.#sharedFullAtUs(key), nowUs, cost);
    if (taken.allowed) this.#overflowFullAtUs[hashOf(key) % overflowBuckets] = nowUs + taken.debtUs;
    return taken;
  }

  /** A key that gets a bucket of its own takes the debt of its shared one along: room that appears pardons nobody. */
  #sharedFullAtUs(key: string): number {
    return this.#overflowFullAtUs[hashOf(key) % overflowBuckets] ?? 0;
  }

  /** A slow hand that goes round the buckets, a few at each take, and drops those that are full again. */
  #forgetFull(nowUs: number): void {
    for (let i = 0; i < sweptPerTake && this.#fullAtUs.size > 0; i++) {
      this.#sweep ??= this.#fullAtUs.entries();
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = undefined;
        return;
      }
      const [key, fullAtUs] = next.value;
      if (fullAtUs <= nowUs) this.#fullAtUs.delete(key);
    }
  }
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
