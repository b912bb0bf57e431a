// The shared buckets behind one connection: every take of a call in one run of token-bucket.lua, within one deadline.
//
//   takeMany ──▶ EVALSHA keys… tokenUs capacityUs deadlineUs cost… ──▶ { nowUs, r… } ──▶ decisions
//                     │ no reply by the deadline: StoreError 'timeout'; the script, should it run later, takes nothing
//
// With Redis Cluster the keys of one script must share a slot, so there is one run for each hash tag among the takes.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ClockOffset } from './clock-offset.ts';
import { deadline } from './deadline.ts';
import { storeErrorOf } from './redis-errors.ts';
import { type Outcome, type Policy, type Store, StoreError, type Take } from './store.ts';
import { type Bucket, bucketOf, decisionOf } from './token-bucket.ts';

const script = readFileSync(new URL('./token-bucket.lua', import.meta.url), 'utf8');
const scriptSha = createHash('sha1').update(script).digest('hex');

const keyPrefix = 'rl:';
const probeCost = '0';

/** The commands that a store sends; both ioredis's `Redis` and its `Cluster` have them. */
export interface RedisClient {
  evalsha(sha: string, keyCount: number, ...args: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

export interface RedisStoreOptions {
  readonly client: RedisClient;
  readonly policy: Policy;
  /** The longest that one call may take. */
  readonly timeoutMs: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** With Redis Cluster: the hash tag of a key, and one that leads to this store's master now. */
  readonly tags?: { readonly of: (key: string) => string; readonly probe: () => string };
}

/** Takes that share a slot, and where each stands in the call. */
interface Group {
  readonly keys: string[];
  readonly costs: string[];
  readonly at: number[];
}

export class RedisStore implements Store {
  readonly #options: RedisStoreOptions;
  readonly #bucket: Bucket;
  readonly #bucketArguments: readonly string[];
  readonly #offset = new ClockOffset();
  /** Why takes cannot be sent; undefined when they can. */
  #down: StoreError | undefined = new StoreError('disconnected', 'not connected yet');
  /** Why Redis's clock is not known: how the probe failed that should have told it. */
  #unprobed = new StoreError('timeout', "Redis's clock is not known yet");

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    this.#bucket = bucketOf(options.policy);
    this.#bucketArguments = [String(this.#bucket.tokenUs), String(this.#bucket.capacityUs)];
  }

  /** Whether takes can be sent at all. */
  get ready(): boolean {
    return this.#down === undefined;
  }

  /**
   * There is a connection, perhaps to another Redis with another clock: learns it before the first take needs it.
   * Takes are sent when this resolves; it never rejects.
   */
  async connected(): Promise<void> {
    this.#offset.forget();
    const lostBefore = this.#down;
    await this.probe().catch((error) => {
      this.#unprobed = storeErrorOf(error);
    });
    if (this.#down === lostBefore) this.#down = undefined;
  }

  /** The connection is gone; takes fail at once, for this reason. */
  lost(error: unknown): void {
    const { reason, message } = storeErrorOf(error);
    this.#down = new StoreError(reason, message);
  }

  async takeMany(takes: readonly Take[]): Promise<Outcome[]> {
    if (this.#down) throw new StoreError(this.#down.reason, this.#down.message);
    const groups = this.#groupsOf(takes);
    const [only] = groups;
    if (only && groups.length === 1) return this.#outcomesOf(only, takes, await this.#run(only.keys, only.costs));
    const replies = await Promise.allSettled(groups.map(({ keys, costs }) => this.#run(keys, costs)));
    const failed = replies.find((reply) => reply.status === 'rejected');
    if (failed && replies.every(({ status }) => status === 'rejected')) throw failed.reason;
    const outcomes: Outcome[] = [];
    for (const [i, group] of groups.entries()) {
      const reply = replies[i] as (typeof replies)[number];
      const decided =
        reply.status === 'fulfilled'
          ? this.#outcomesOf(group, takes, reply.value)
          : group.at.map(() => storeErrorOf(reply.reason));
      for (const [j, at] of group.at.entries()) outcomes[at] = decided[j] as Outcome;
    }
    return outcomes;
  }

  /**
   * One take that costs nothing, of a key that is nobody's: resolves when Redis would answer takes within the deadline.
   * It writes, so that a Redis that refuses writes (READONLY, OOM, MISCONF) does not look healthy.
   */
  async probe(): Promise<void> {
    const { tags } = this.#options;
    await this.#run([tags ? `${keyPrefix}{${tags.probe()}}` : keyPrefix], [probeCost]);
  }

  /** Gives the key a full bucket. */
  async reset(key: string): Promise<void> {
    await this.#options.client.del(this.#nameOf(key, this.#options.tags?.of(key)));
  }

  #nameOf(key: string, tag: string | undefined): string {
    return tag === undefined ? keyPrefix + key : `${keyPrefix}{${tag}}:${key}`;
  }

  #groupsOf(takes: readonly Take[]): Group[] {
    const { tags } = this.#options;
    const groups = new Map<string | undefined, Group>();
    for (const [i, { key, cost }] of takes.entries()) {
      const tag = tags?.of(key);
      let group = groups.get(tag);
      if (!group) {
        group = { keys: [], costs: [], at: [] };
        groups.set(tag, group);
      }
      group.keys.push(this.#nameOf(key, tag));
      group.costs.push(String(cost));
      group.at.push(i);
    }
    return [...groups.values()];
  }

  #outcomesOf({ at }: Group, takes: readonly Take[], reply: readonly unknown[]): Outcome[] {
    if (reply.length !== at.length + 1) throw new StoreError('late', 'Redis ran the script after its deadline');
    return at.map((index, i) => this.#outcomeOf(reply[i + 1], (takes[index] as Take).cost));
  }

  #outcomeOf(result: unknown, cost: number): Outcome {
    if (typeof result !== 'number') return new StoreError('wrongtype', 'the key holds something that is not a bucket');
    const taken = result >= 0 ? { allowed: true, debtUs: result } : { allowed: false, debtUs: -1 - result };
    return decisionOf(this.#bucket, taken, cost, 'redis');
  }

  /** Runs the script for `keys`. Rejects with a `StoreError` by the deadline at the latest. */
  #run(keys: readonly string[], costs: readonly string[]): Promise<unknown[]> {
    const { timeoutMs, nowUs } = this.#options;
    const untilUs = nowUs() + timeoutMs * 1000;
    return new Promise((resolve, reject) => {
      const settle = deadline(timeoutMs, () => {
        reject(new StoreError('timeout', `no reply from Redis within ${timeoutMs} ms`));
      });
      this.#runUntil(untilUs, keys, costs)
        // Refused as too late although there is time left: Redis's clock was set, or ours drifted. That reply has
        // taught the offset and the script took nothing, so sending once more is safe.
        .then((reply) => (reply.length === 1 + keys.length ? reply : this.#runUntil(untilUs, keys, costs)))
        .then(resolve, (error) => reject(storeErrorOf(error)))
        .finally(settle);
    });
  }

  async #runUntil(untilUs: number, keys: readonly string[], costs: readonly string[]): Promise<unknown[]> {
    const { nowUs } = this.#options;
    const sentUs = nowUs();
    if (sentUs > untilUs) throw new StoreError('late', 'the deadline passed before the script was sent');
    // A probe teaches the clock, so it cannot need it; late, it still takes nothing.
    const deadlineUs = costs[0] === probeCost ? 0 : this.#offset.toRedisUs(untilUs);
    if (deadlineUs === undefined) throw this.#unprobed;
    const oneCost = costs.every((cost) => cost === costs[0]) ? costs.slice(0, 1) : costs;
    const args = [...keys, ...this.#bucketArguments, String(deadlineUs), ...oneCost];
    const reply = await this.#evaluate(keys.length, args);
    if (!Array.isArray(reply) || typeof reply[0] !== 'number') {
      throw new StoreError('protocol', `Redis answered the script with ${JSON.stringify(reply)}`);
    }
    this.#offset.learn(reply[0], sentUs, nowUs());
    return reply;
  }

  /** NOSCRIPT is the one error that is answered by sending again: the script did not run, so nothing counts twice. */
  async #evaluate(keyCount: number, args: string[]): Promise<unknown> {
    const { client } = this.#options;
    try {
      return await client.evalsha(scriptSha, keyCount, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(script, keyCount, ...args);
    }
  }
}
