// Runs scripts over one connection, each within a deadline that Redis knows too: a script that comes late does nothing.
//
//   run ──▶ EVALSHA keys… deadlineUs args… ──▶ { nowUs, … }
//              │ no reply by the deadline: StoreError 'timeout'; the script, should it run later, does nothing

import { deadline } from '../core/deadline.ts';
import { StoreError } from '../core/store.ts';
import { ClockOffset } from './clock-offset.ts';
import { storeErrorOf } from './errors.ts';
import type { Script } from './script.ts';

/** The commands that are sent; both ioredis's `Redis` and its `Cluster` have them. */
export interface RedisClient {
  evalsha(sha: string, keyCount: number, ...args: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...args: string[]): Promise<unknown>;
}

/** Redis's time in microseconds and what the script found; the time alone when it was too late to do anything. */
type TimedReply = readonly [nowUs: number, ...results: unknown[]];

/** One run of a script. */
export interface ScriptCall<Reply extends TimedReply> {
  readonly script: Script;
  readonly keys: readonly string[];
  /** What follows the deadline. */
  readonly args: readonly string[];
  /** It teaches Redis's clock, and so has no deadline there. */
  readonly isProbe: boolean;
  /** The reply, when it can be the script's; else throws a `StoreError` 'protocol'. */
  readonly replyOf: (reply: unknown) => Reply;
  /** Told that Redis refused several keys because their slot is on the move, even after the deadline. */
  readonly onMove?: () => void;
}

export interface ScriptRunnerOptions {
  readonly client: RedisClient;
  /** The longest that one call may take. */
  readonly timeoutMs: number;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** Told when an answer cannot be the one to what was sent: none on its connection can be trusted any more. */
  readonly onMisfit?: (error: StoreError) => void;
}

export class ScriptRunner {
  readonly #options: ScriptRunnerOptions;
  readonly #offset = new ClockOffset();
  /** Why Redis's clock is not known: how the probe failed that should have told it. */
  #unprobed = new StoreError('timeout', "Redis's clock is not known yet");

  constructor(options: ScriptRunnerOptions) {
    this.#options = options;
  }

  /** Another Redis may answer from now on. */
  forgetClock(): void {
    this.#offset.forget();
  }

  /** The probe that should have told Redis's clock failed. */
  clockUnknown(why: StoreError): void {
    this.#unprobed = why;
  }

  /** When a call that begins now has to be answered. */
  untilUs(): number {
    return this.#options.nowUs() + this.#options.timeoutMs * 1000;
  }

  /** Rejects with a `StoreError` by the deadline `untilUs` at the latest. */
  run<Reply extends TimedReply>(call: ScriptCall<Reply>, untilUs: number): Promise<Reply> {
    const { timeoutMs, nowUs } = this.#options;
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(1, Math.min(timeoutMs, Math.ceil((untilUs - nowUs()) / 1000))); // a timer cuts off what is not whole
      const settle = deadline(leftMs, () => {
        reject(new StoreError('timeout', `no reply from Redis within ${timeoutMs} ms`));
      });
      this.#runUntil(untilUs, call).then(
        (reply) => {
          settle();
          resolve(reply);
        },
        (error) => {
          settle();
          reject(storeErrorOf(error));
        },
      );
    });
  }

  async #runUntil<Reply extends TimedReply>(untilUs: number, call: ScriptCall<Reply>): Promise<Reply> {
    const reply = await this.#runOnce(untilUs, call);
    if (reply.length > 1) return reply;
    // Refused as too late although there is time left: Redis's clock was set, or ours drifted. That reply has taught the
    // offset and the script did nothing, so sending once more is safe.
    const again = await this.#runOnce(untilUs, call);
    if (again.length > 1) return again;
    throw new StoreError('late', 'Redis ran the script after its deadline');
  }

  async #runOnce<Reply extends TimedReply>(untilUs: number, call: ScriptCall<Reply>): Promise<Reply> {
    const { nowUs } = this.#options;
    const sentUs = nowUs();
    if (sentUs > untilUs) throw new StoreError('late', 'the deadline passed before the script was sent');
    // A probe teaches the clock, so it cannot need it; late, it still takes nothing.
    const deadlineUs = call.isProbe ? 0 : this.#offset.toRedisUs(untilUs);
    if (deadlineUs === undefined) throw this.#unprobed;
    const reply = this.#replyOf(call, await this.#evaluate(call, deadlineUs));
    this.#offset.learn(reply[0], sentUs, nowUs());
    return reply;
  }

  /** The reply, when it can be the script's; else the connection is not to be trusted any more. */
  #replyOf<Reply extends TimedReply>(call: ScriptCall<Reply>, reply: unknown): Reply {
    try {
      return call.replyOf(reply);
    } catch (error) {
      if (error instanceof StoreError) this.#options.onMisfit?.(error);
      throw error;
    }
  }

  /** NOSCRIPT is the one error that is answered by sending again: the script did not run, so nothing counts twice. */
  async #evaluate(call: ScriptCall<TimedReply>, deadlineUs: number): Promise<unknown> {
    const { client } = this.#options;
    const { script, keys, args, onMove } = call;
    const all = [...keys, String(deadlineUs), ...args];
    try {
      return await client.evalsha(script.sha, keys.length, ...all);
    } catch (error) {
      if (isOnTheMove(error)) onMove?.();
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(script.text, keys.length, ...all);
    }
  }
}

/**
 * Whether Redis refused several keys of a slot because some have moved already (TRYAGAIN). ioredis tries twice more, one
 * of them anywhere, and then tells the last refusal only.
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#multiple-keys-operations
 */
export function isOnTheMove(error: unknown): boolean {
  return error instanceof Error && /^(TRYAGAIN|Too many Cluster redirections)/.test(error.message);
}
