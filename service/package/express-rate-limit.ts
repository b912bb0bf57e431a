// `failopen/express-rate-limit`: a store for the package express-rate-limit, in the place of rate-limit-redis.
//
// The package asks its store for the hits of a key, and compares them with the limit by itself. So a denied take is told as
// one hit more than the limit, and its reset time is when the next hit will be allowed.

import type { ClientRateLimitInfo, Options, Store } from 'express-rate-limit';
import type { Decision } from '../core/store.ts';
import { shown } from '../doors/json/field-mistakes.ts';
import { mustBeOptions } from './given.ts';
import { Hits, type HitsOptions, type Window, windowMistakes } from './hits.ts';
import { OptionsError } from './options-error.ts';

export type RedisStoreOptions = HitsOptions & {
  /** As rate-limit-redis takes it: sends a command by the application's own connection. Instead of `redis`. */
  readonly sendCommand?: ((...words: string[]) => Promise<unknown>) | undefined;
};

const name = 'express-rate-limit';

export class RedisStore implements Store {
  /** Other processes count the same keys. */
  readonly localKeys = false;
  readonly prefix: string;
  readonly #hits: Hits;
  #window: Window | undefined;
  #mistake = new OptionsError(name, ['the store is in no rateLimit() yet; allowed: rateLimit({ store })']);

  /** Begins to connect; Redis need not be there. Throws an `OptionsError`. */
  constructor(given: RedisStoreOptions) {
    mustBeOptions(name, given);
    const { sendCommand, ...options } = given;
    if ('sendCommandCluster' in options)
      throw new OptionsError(name, ['sendCommandCluster is no option; allowed: redis: { nodes: [{ host, port }] }']);
    if (sendCommand !== undefined && typeof sendCommand !== 'function')
      throw new OptionsError(name, [`sendCommand is ${shown(sendCommand)}; allowed: a function`]);
    if (sendCommand !== undefined && options.redis !== undefined)
      throw new OptionsError(name, ['sendCommand and redis are both there; allowed: one of them']);
    const redis = sendCommand === undefined ? options.redis : { sendCommand: sendCommand.bind(this) };
    this.prefix = options.prefix ?? '';
    this.#hits = new Hits(name, { ...options, redis });
  }

  /** Throws an `OptionsError`, which the package logs; then each request is answered with it. */
  init({ limit, windowMs }: Options): void {
    const window: Window = { max: limit as number, ms: windowMs };
    const mistakes =
      typeof limit === 'function'
        ? ['limit is a function; allowed: a number, with a rateLimit() and a store for each limit']
        : windowMistakes(window, { max: 'limit', ms: 'windowMs' });
    const before = this.#window;
    if (before && (before.max !== limit || before.ms !== windowMs)) {
      mistakes.push(`limit is ${shown(limit)} and before was ${before.max}; allowed: a store for each rateLimit()`);
    }
    this.#window = mistakes.length === 0 ? window : undefined;
    if (mistakes.length === 0) return;
    this.#mistake = new OptionsError(name, mistakes);
    throw this.#mistake;
  }

  /** Never rejects because of Redis. */
  async increment(key: string): Promise<ClientRateLimitInfo> {
    const window = this.#windowOrThrow();
    if (window.max < 1) return { totalHits: 1, resetTime: after(window.ms) }; // one hit is too many
    const decision = await this.#hits.take(window, key);
    const { allowed, resetMs, retryAfterMs } = decision;
    return allowed
      ? { totalHits: Math.max(1, hitsIn(decision, window)), resetTime: after(resetMs) }
      : { totalHits: Math.floor(window.max) + 1, resetTime: after(retryAfterMs) };
  }

  /** Undefined for a key that has no hits. */
  async get(key: string): Promise<ClientRateLimitInfo | undefined> {
    const window = this.#windowOrThrow();
    if (window.max < 1) return undefined;
    const decision = await this.#hits.look(window, key);
    return decision.resetMs > 0
      ? { totalHits: hitsIn(decision, window), resetTime: after(decision.resetMs) }
      : undefined;
  }

  /** Takes one hit back: of what is counted in this process while Redis is away. */
  async decrement(key: string): Promise<void> {
    const window = this.#windowOrThrow();
    if (window.max >= 1) await this.#hits.giveBack(window, key);
  }

  /** Forgets the hits of the key: those that are counted in this process while Redis is away. */
  async resetKey(key: string): Promise<void> {
    const window = this.#windowOrThrow();
    if (window.max >= 1) await this.#hits.reset(window, key);
  }

  /** Closes the connection, if it is the store's own. */
  shutdown(): void {
    this.#hits.close();
  }

  #windowOrThrow(): Window {
    if (!this.#window) throw this.#mistake;
    return this.#window;
  }
}

export default RedisStore;

function hitsIn({ remaining, allowed }: Decision, { max }: Window): number {
  return Math.floor(max) - (remaining ?? (allowed ? Math.floor(max) - 1 : 0));
}

function after(ms: number): Date {
  return new Date(Date.now() + Math.ceil(ms));
}
