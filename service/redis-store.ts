// The shared buckets: every take of a call in one run of token-bucket.lua, over one connection, within one deadline.
//
//   takeMany ──▶ EVALSHA keys… tokenUs capacityUs deadlineUs cost… ──▶ { nowUs, r… } ──▶ decisions
//                     │ no reply by the deadline: StoreError 'timeout'; the script, should it run later, takes nothing

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { ClockOffset } from './clock-offset.ts';
import { deadline } from './deadline.ts';
import { storeErrorOf } from './redis-errors.ts';
import { type Outcome, type Policy, type Store, StoreError, type Take } from './store.ts';
import { type Bucket, bucketOf, decisionOf } from './token-bucket.ts';

const script = readFileSync(new URL('./token-bucket.lua', import.meta.url), 'utf8');
const scriptSha = createHash('sha1').update(script).digest('hex');

const probeCost = '0';
/** Longest wait between two attempts to connect, before jitter. */
const reconnectMsMax = 500;

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. */
  readonly url: string;
  readonly policy: Policy;
  /** The longest that one call may take. */
  readonly timeoutMs: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** Put before every key. */
  readonly keyPrefix: string;
  /** Told when the connection comes and goes. */
  readonly onConnection?: (event: 'ready' | 'lost', detail: string) => void;
}

export class RedisStore implements Store {
  readonly #redis: Redis;
  readonly #bucket: Bucket;
  readonly #bucketArguments: readonly string[];
  readonly #timeoutMs: number;
  readonly #nowUs: () => number;
  readonly #keyPrefix: string;
  readonly #offset = new ClockOffset();
  #ready = false;
  /** Why Redis's clock is not known: how the probe failed that should have told it. */
  #unprobed = new StoreError('timeout', "Redis's clock is not known yet");
  /** Why there is no connection. */
  #lost = new StoreError('disconnected', 'not connected yet');

  constructor(options: RedisStoreOptions) {
    this.#bucket = bucketOf(options.policy);
    this.#bucketArguments = [String(this.#bucket.tokenUs), String(this.#bucket.capacityUs)];
    this.#timeoutMs = options.timeoutMs;
    this.#nowUs = options.nowUs;
    this.#keyPrefix = options.keyPrefix;
    this.#redis = new Redis(options.url, connectionOptions);
    this.#redis.on('error', (error) => {
      this.#lost = storeErrorOf(error);
    });
    this.#redis.on('close', () => {
      if (this.#ready) options.onConnection?.('lost', this.#lost.message);
      this.#ready = false;
    });
    this.#redis.on('ready', async () => {
      // Perhaps another Redis, with another clock: learn it before the first take needs it.
      this.#offset.forget();
      await this.probe().catch((error) => {
        this.#unprobed = storeErrorOf(error);
      });
      this.#ready = this.#redis.status === 'ready';
      this.#lost = new StoreError('disconnected', 'the connection was closed');
      if (this.#ready) options.onConnection?.('ready', options.url.replace(/\/\/[^@/]*@/, '//'));
    });
  }

  /** Whether takes can be sent at all. */
  get ready(): boolean {
    return this.#ready;
  }

  async takeMany(takes: readonly Take[]): Promise<Outcome[]> {
    if (!this.#ready) throw new StoreError(this.#lost.reason, this.#lost.message);
    const keys: string[] = [];
    const costs: string[] = [];
    let sameCost = true;
    for (const { key, cost } of takes) {
      keys.push(this.#keyPrefix + key);
      costs.push(String(cost));
      if (cost !== takes[0]?.cost) sameCost = false;
    }
    const reply = await this.#run(keys, sameCost ? costs.slice(0, 1) : costs);
    if (reply.length !== takes.length + 1) throw new StoreError('late', 'Redis ran the script after its deadline');
    return takes.map(({ cost }, i) => this.#outcomeOf(reply[i + 1], cost));
  }

  /**
   * One take that costs nothing, of a key that is nobody's: resolves when Redis would answer takes within the deadline.
   * It writes, so that a Redis that refuses writes (READONLY, OOM, MISCONF) does not look healthy.
   */
  async probe(): Promise<void> {
    await this.#run([this.#keyPrefix], [probeCost]);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  #outcomeOf(result: unknown, cost: number): Outcome {
    if (typeof result !== 'number') return new StoreError('wrongtype', 'the key holds something that is not a bucket');
    const taken = result >= 0 ? { allowed: true, debtUs: result } : { allowed: false, debtUs: -1 - result };
    return decisionOf(this.#bucket, taken, cost, 'redis');
  }

  /** Runs the script for `keys`. Rejects with a `StoreError` by the deadline at the latest. */
  #run(keys: readonly string[], costs: readonly string[]): Promise<unknown[]> {
    const untilUs = this.#nowUs() + this.#timeoutMs * 1000;
    return new Promise((resolve, reject) => {
      const settle = deadline(this.#timeoutMs, () => {
        reject(new StoreError('timeout', `no reply from Redis within ${this.#timeoutMs} ms`));
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
    const sentUs = this.#nowUs();
    if (sentUs > untilUs) throw new StoreError('late', 'the deadline passed before the script was sent');
    // A probe teaches the clock, so it cannot need it; late, it still takes nothing.
    const deadlineUs = costs[0] === probeCost ? 0 : this.#offset.toRedisUs(untilUs);
    if (deadlineUs === undefined) throw this.#unprobed;
    const reply = await this.#evaluate(keys.length, [...keys, ...this.#bucketArguments, String(deadlineUs), ...costs]);
    if (!Array.isArray(reply) || typeof reply[0] !== 'number') {
      throw new StoreError('protocol', `Redis answered the script with ${JSON.stringify(reply)}`);
    }
    this.#offset.learn(reply[0], sentUs, this.#nowUs());
    return reply;
  }

  /** NOSCRIPT is the one error that is answered by sending again: the script did not run, so nothing counts twice. */
  async #evaluate(keyCount: number, args: string[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(scriptSha, keyCount, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.#redis.eval(script, keyCount, ...args);
    }
  }
}

/** ioredis's defaults hide an outage behind queues and retries; here the caller has a better answer at hand. */
const connectionOptions = {
  enableOfflineQueue: false, // a take that cannot be sent now is answered by the fallback now
  maxRetriesPerRequest: 0, // never send a take twice: it would count twice
  autoResendUnfulfilledCommands: false, // likewise after a reconnect
  connectTimeout: 500, // ms; a SYN into the void must not hold up recovery
  socketTimeout: 2000, // ms; a silent connection with calls in flight is given up on a slow schedule, not on each timeout
  enableReadyCheck: false, // no INFO: the probe after 'ready' asks what matters, whether the script runs
  keepAlive: 10_000, // ms
  retryStrategy: (attempt: number) => Math.min(25 * 2 ** attempt, reconnectMsMax) * (0.5 + Math.random() / 2),
  reconnectOnError: (error: Error) => error.message.includes('READONLY'), // a failover left us with a replica
  disableClientInfo: true, // no CLIENT SETINFO: Redis before 7.2 answers it with an error
};

/** How long a recovery may wait for the connection: one attempt that just failed, the wait, the handshake. */
export const reconnectBoundMs: number = 500 + reconnectMsMax;
