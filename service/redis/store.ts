// The shared buckets behind one connection: every take of a call in one run of token-bucket.lua, within one deadline.
//
//   decideMany ──▶ EVALSHA keys… deadlineUs shapes… ──▶ { nowUs, r… } ──▶ decisions
//                     │ no reply by the deadline: StoreError 'timeout'; the script, should it run later, takes nothing
//
// With Redis Cluster the keys of one script must share a slot, so there is one run for each hash tag among the takes.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deadline } from '../core/deadline.ts';
import { type BatchStore, type Outcome, StoreError, type Take } from '../core/store.ts';
import { ClockOffset } from './clock-offset.ts';
import { storeErrorOf } from './errors.ts';
import { outcomesOf, type ScriptReply, scriptReplyOf } from './reply.ts';
import { shapeArgumentsOf } from './shapes.ts';
import { type Group, probeIn, SlotGroups } from './slot-groups.ts';

const script = readFileSync(new URL('./token-bucket.lua', import.meta.url), 'utf8');
const scriptSha = createHash('sha1').update(script).digest('hex');

/** The commands that a store sends; both ioredis's `Redis` and its `Cluster` have them. */
export interface RedisClient {
  evalsha(sha: string, keyCount: number, ...args: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
  del(...keys: string[]): Promise<unknown>;
}

export interface RedisStoreOptions {
  readonly client: RedisClient;
  /** The longest that one call may take. */
  readonly timeoutMs: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** Told when an answer cannot be the one to what was sent: none on its connection can be trusted any more. */
  readonly onMisfit?: (error: StoreError) => void;
  /** With Redis Cluster: the hash tag of a key, and one that leads to this store's master now. */
  readonly tags?: { readonly of: (key: string) => string; readonly probe: () => string };
}

/** A group's fate: Redis's reply, or why there is none. */
type Run =
  | { readonly group: Group; readonly reply: ScriptReply; readonly error?: undefined }
  | { readonly group: Group; readonly reply?: undefined; readonly error: StoreError };

export class RedisStore implements BatchStore {
  readonly mechanism = 'redis';
  readonly #options: RedisStoreOptions;
  readonly #groups: SlotGroups;
  readonly #offset = new ClockOffset();
  /** Why takes cannot be sent; undefined when they can. */
  #down: StoreError | undefined = new StoreError('disconnected', 'not connected yet');
  /** Why Redis's clock is not known: how the probe failed that should have told it. */
  #unprobed = new StoreError('timeout', "Redis's clock is not known yet");

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    this.#groups = new SlotGroups(options.tags?.of, options.nowUs);
  }

  /** Whether takes can be sent at all. */
  get ready(): boolean {
    return this.#down === undefined;
  }

  /**
   * There is a connection, perhaps to another Redis with another clock: learns it before the first take needs it.
   * Takes are sent when this resolves, to why Redis did not answer a probe, if it didn't; it never rejects.
   */
  async connected(): Promise<StoreError | undefined> {
    this.#offset.forget();
    const lostBefore = this.#down;
    const refused = await this.#probe().then(
      () => undefined,
      (error) => {
        this.#unprobed = storeErrorOf(error);
        return this.#unprobed;
      },
    );
    if (this.#down === lostBefore) this.#down = undefined;
    return refused;
  }

  /** The connection is gone; takes fail at once, for this reason. */
  lost(error: unknown): void {
    const { reason, message } = storeErrorOf(error);
    this.#down = new StoreError(reason, message);
  }

  async decideMany(takes: readonly Take[]): Promise<Outcome[]> {
    if (this.#down) throw new StoreError(this.#down.reason, this.#down.message);
    const untilUs = this.#untilUs();
    const runs = (await Promise.all(this.#groups.of(takes).map((group) => this.#runGroup(group, untilUs)))).flat();
    const failed = runs.find((run) => run.error !== undefined);
    if (failed && runs.every(({ error }) => error !== undefined)) throw failed.error;
    const outcomes: Outcome[] = [];
    for (const { group, reply, error } of runs) {
      const ofGroup = error ? group.at.map(() => error) : outcomesOf(reply, group.takes, this.mechanism);
      for (const [i, at] of group.at.entries()) outcomes[at] = ofGroup[i] as Outcome;
    }
    return outcomes;
  }

  /**
   * One take that costs nothing, of a bucket that is nobody's: resolves when Redis would answer takes within the deadline.
   * It writes, so that a Redis that refuses writes (READONLY, OOM, MISCONF) does not look healthy.
   */
  async probe(): Promise<void> {
    if (this.#down) throw new StoreError(this.#down.reason, this.#down.message);
    await this.#probe();
  }

  async #probe(): Promise<void> {
    await this.#run(probeIn(this.#options.tags?.probe()), this.#untilUs());
  }

  /** Makes the take's buckets full. */
  async reset(take: Take): Promise<void> {
    await this.#options.client.del(...this.#groups.namesOf(take));
  }

  #untilUs(): number {
    return this.#options.nowUs() + this.#options.timeoutMs * 1000;
  }

  /** Never rejects. A group whose slot is on the move goes again, key by key: the script did not run. */
  async #runGroup(group: Group, untilUs: number): Promise<Run[]> {
    try {
      return [{ group, reply: await this.#run(group, untilUs) }];
    } catch (cause) {
      const error = storeErrorOf(cause);
      const apart = isOnTheMove(error) ? this.#groups.apart(group) : [group];
      if (apart.length === 1) return [{ group, error }];
      return (await Promise.all(apart.map((one) => this.#runGroup(one, untilUs)))).flat();
    }
  }

  /** Runs the script for the group. Rejects with a `StoreError` by the deadline `untilUs` at the latest. */
  #run(group: Group, untilUs: number): Promise<ScriptReply> {
    const { timeoutMs, nowUs } = this.#options;
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(1, Math.min(timeoutMs, Math.ceil((untilUs - nowUs()) / 1000))); // a timer cuts off what is not whole
      const settle = deadline(leftMs, () => {
        reject(new StoreError('timeout', `no reply from Redis within ${timeoutMs} ms`));
      });
      this.#runUntil(untilUs, group)
        // Refused as too late although there is time left: Redis's clock was set, or ours drifted. That reply has
        // taught the offset and the script took nothing, so sending once more is safe.
        .then((reply) => (reply.length === 1 ? this.#runUntil(untilUs, group) : reply))
        .then((reply) => {
          if (reply.length > 1) resolve(reply);
          else reject(new StoreError('late', 'Redis ran the script after its deadline'));
        })
        .catch((error) => reject(storeErrorOf(error)))
        .finally(settle);
    });
  }

  async #runUntil(untilUs: number, group: Group): Promise<ScriptReply> {
    const { names, takes, isProbe } = group;
    const { nowUs } = this.#options;
    const sentUs = nowUs();
    if (sentUs > untilUs) throw new StoreError('late', 'the deadline passed before the script was sent');
    // A probe teaches the clock, so it cannot need it; late, it still takes nothing.
    const deadlineUs = isProbe ? 0 : this.#offset.toRedisUs(untilUs);
    if (deadlineUs === undefined) throw this.#unprobed;
    const args = [...names, String(deadlineUs), ...shapeArgumentsOf(takes)];
    const reply = this.#replyOf(await this.#evaluate(group, args), takes);
    this.#offset.learn(reply[0], sentUs, nowUs());
    return reply;
  }

  /** The reply, when it can be the script's; else the connection is not to be trusted any more. */
  #replyOf(reply: unknown, takes: readonly Take[]): ScriptReply {
    try {
      return scriptReplyOf(reply, takes);
    } catch (error) {
      if (error instanceof StoreError) this.#options.onMisfit?.(error);
      throw error;
    }
  }

  /** NOSCRIPT is the one error that is answered by sending again: the script did not run, so nothing counts twice. */
  async #evaluate(group: Group, args: string[]): Promise<unknown> {
    const { client } = this.#options;
    const keyCount = group.names.length;
    try {
      return await client.evalsha(scriptSha, keyCount, ...args);
    } catch (error) {
      if (isOnTheMove(error)) this.#groups.keepApart(group); // heard even after the deadline
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(script, keyCount, ...args);
    }
  }
}

/**
 * Whether Redis refused several keys of a slot because some have moved already (TRYAGAIN). ioredis tries twice more, one
 * of them anywhere, and then tells the last refusal only.
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#multiple-keys-operations
 */
function isOnTheMove(error: unknown): boolean {
  return error instanceof Error && /^(TRYAGAIN|Too many Cluster redirections)/.test(error.message);
}
