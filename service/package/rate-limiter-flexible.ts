// `failopen/rate-limiter-flexible`: a limiter in the place of rate-limiter-flexible's RateLimiterRedis.
//
// A key's points come back evenly within the duration, not all at its end. What a refused key wanted is not counted.

import type { Decision } from '../core/store.ts';
import { shown } from '../doors/json/field-mistakes.ts';
import { Blocks, blockSecondsMax } from './blocks.ts';
import { checkOptions, name, type RateLimiterOptions, redisIn } from './flexible-options.ts';
import { mustBeOptions } from './given.ts';
import { Hits, type Window } from './hits.ts';
import { OptionsError } from './options-error.ts';
import { RateLimiterRes } from './rate-limiter-res.ts';

export type { RateLimiterOptions };
export { RateLimiterRes };

type Key = string | number;

export class RateLimiterRedis {
  readonly points: number;
  readonly duration: number;
  readonly blockDuration: number;
  readonly keyPrefix: string;
  readonly execEvenly: boolean;
  readonly execEvenlyMinDelayMs: number;
  readonly #window: Window;
  readonly #hits: Hits;
  readonly #blocks: Blocks;

  /** Begins to connect; Redis need not be there. Throws an `OptionsError`. */
  constructor(options: RateLimiterOptions) {
    checkOptions(options);
    const { points, duration, blockDuration = 0, keyPrefix = 'rlflx', execEvenly = false } = options;
    this.points = points;
    this.duration = duration;
    this.blockDuration = blockDuration;
    this.keyPrefix = keyPrefix;
    this.execEvenly = execEvenly;
    this.execEvenlyMinDelayMs = options.execEvenlyMinDelayMs ?? Math.ceil((1000 * duration) / Math.max(points, 1));
    this.#window = { max: points, ms: 1000 * duration };
    const fallbackMax = options.insuranceLimiter?.points;
    this.#hits = new Hits(name, { ...options.failopen, redis: redisIn(options), prefix: keyPrefix, fallbackMax });
    this.#blocks = new Blocks(this.#hits);
  }

  get msDuration(): number {
    return 1000 * this.duration;
  }

  get msBlockDuration(): number {
    return 1000 * this.blockDuration;
  }

  getKey(key: Key): string {
    return this.keyPrefix === '' ? String(key) : `${this.keyPrefix}:${key}`;
  }

  parseKey(key: string): string {
    return this.keyPrefix === '' ? key : key.slice(this.keyPrefix.length + 1);
  }

  /**
   * Resolves when the key has the points, and they are taken. Rejects with a `RateLimiterRes` when it does not, and never
   * with an error because of Redis.
   */
  async consume(key: Key, pointsToConsume: number | string = 1, options?: object): Promise<RateLimiterRes> {
    const count = wholeOf(pointsToConsume, options);
    const blockedMs = await this.#blocks.msLeft(String(key));
    if (blockedMs > 0) throw new RateLimiterRes(0, Math.ceil(blockedMs), this.points + 1);
    if (this.points < 1) throw new RateLimiterRes(0, this.msDuration, count);
    if (count === 0) return this.#resOf(await this.#hits.look(this.#window, String(key)), 0);
    const decision = await this.#hits.take(this.#window, String(key), count);
    const res = this.#resOf(decision, count);
    if (decision.allowed) return this.execEvenly ? this.#evenly(res) : res;
    if (this.blockDuration === 0) throw res;
    await this.#blocks.block(String(key), this.msBlockDuration);
    throw new RateLimiterRes(0, this.msBlockDuration, res.consumedPoints);
  }

  /** Takes points, as many as there are. */
  async penalty(key: Key, points: number | string = 1, options?: object): Promise<RateLimiterRes> {
    const count = wholeOf(points, options);
    if (this.points < 1 || count === 0) return this.#now(key);
    const decision = await this.#hits.take(this.#window, String(key), count);
    const { allowed, remaining = 0 } = decision;
    if (allowed || remaining === 0) return this.#resOf({ ...decision, allowed: true }, count);
    return this.#resOf({ ...(await this.#hits.take(this.#window, String(key), remaining)), allowed: true }, count);
  }

  /** Gives points back: never more than are used. */
  async reward(key: Key, points: number | string = 1, options?: object): Promise<RateLimiterRes> {
    const count = wholeOf(points, options);
    if (this.points < 1 || count === 0) return this.#now(key);
    return this.#resOf({ ...(await this.#hits.giveBack(this.#window, String(key), count)), allowed: true }, 0);
  }

  /** Null for a key that has all its points. */
  async get(key: Key): Promise<RateLimiterRes | null> {
    const blockedMs = await this.#blocks.msLeft(String(key));
    if (blockedMs > 0) return new RateLimiterRes(0, Math.ceil(blockedMs), this.points + 1);
    const res = await this.#now(key);
    return res.consumedPoints > 0 ? res : null;
  }

  /** So many points are used from now on; with more than there are, the key is refused for `secDuration`. */
  async set(key: Key, points: number, secDuration = this.duration): Promise<RateLimiterRes> {
    const used = Math.max(0, wholeOf(points));
    if (used <= this.points && secDuration !== this.duration)
      throw new OptionsError(name, [
        `secDuration is ${shown(secDuration)}; allowed: that of the limiter, ${this.duration}`,
      ]);
    await this.delete(key);
    if (used > this.points) await this.block(key, secDuration);
    else if (used > 0) await this.#hits.take(this.#window, String(key), used);
    return new RateLimiterRes(Math.max(0, this.points - used), 1000 * secDuration, used);
  }

  /** Refuses the key from now on, in every process: in others within two seconds, or not before Redis is back. */
  async block(key: Key, secDuration: number): Promise<RateLimiterRes> {
    if (!(typeof secDuration === 'number' && secDuration > 0 && secDuration <= blockSecondsMax))
      throw new OptionsError(name, [`secDuration is ${shown(secDuration)}; allowed: seconds, over 0, up to a year`]);
    await this.#blocks.block(String(key), 1000 * secDuration);
    return new RateLimiterRes(0, 1000 * secDuration, this.points + 1);
  }

  /** Gives the key all its points, and ends its block. Resolves to whether there was something to do. */
  async delete(key: Key): Promise<boolean> {
    const before = await this.get(key);
    if (before === null) return false;
    await this.#blocks.unblock(String(key));
    if (this.points >= 1) await this.#hits.reset(this.#window, String(key));
    return true;
  }

  /** Closes the connection, if it is the limiter's own. */
  close(): void {
    this.#hits.close();
  }

  async #now(key: Key): Promise<RateLimiterRes> {
    if (this.points < 1) return new RateLimiterRes();
    return this.#resOf({ ...(await this.#hits.look(this.#window, String(key))), allowed: true }, 0);
  }

  /** `count`: points that were wanted. */
  #resOf({ allowed, remaining = 0, resetMs, retryAfterMs }: Decision, count: number): RateLimiterRes {
    const used = this.points - remaining;
    if (allowed) return new RateLimiterRes(remaining, Math.ceil(resetMs), used, count > 0 && used === count);
    const waitMs = Number.isFinite(retryAfterMs) ? Math.ceil(retryAfterMs) : this.msDuration;
    return new RateLimiterRes(remaining, waitMs, used + count);
  }

  /** The next of a key comes later, the fewer points are left, as in rate-limiter-flexible. */
  async #evenly(res: RateLimiterRes): Promise<RateLimiterRes> {
    const { isFirstInDuration, msBeforeNext, remainingPoints, consumedPoints } = res;
    if (isFirstInDuration || msBeforeNext === 0) return res;
    const evenMs = Math.ceil(msBeforeNext / (remainingPoints + 2));
    const delayMs = evenMs < this.execEvenlyMinDelayMs ? consumedPoints * this.execEvenlyMinDelayMs : evenMs;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return new RateLimiterRes(remainingPoints, Math.max(0, msBeforeNext - delayMs), consumedPoints);
  }
}

/** Points as they are asked for. The first two messages are those of rate-limiter-flexible. */
function wholeOf(points: number | string, options: object = {}): number {
  if (typeof points === 'string' && !/^[1-9][0-9]*$/.test(points))
    throw new TypeError('Consuming string different than integer values is not supported by this package');
  if (typeof points === 'number' && !Number.isInteger(points))
    throw new TypeError('Consuming decimal number of points is not supported by this package');
  mustBeOptions(name, options);
  if ('customDuration' in options)
    throw new OptionsError(name, ['customDuration is no option; allowed: a limiter for each duration']);
  const count = typeof points === 'string' || typeof points === 'number' ? Number(points) : Number.NaN;
  if (!(count >= 0)) throw new OptionsError(name, [`points is ${shown(points)}; allowed: a whole number from 0`]);
  return count;
}
