// `failopen/fastify-rate-limit`: @fastify/rate-limit with a store of this package's wherever it is given a Redis.

import fastifyRateLimit, {
  type errorResponseBuilderContext,
  type FastifyRateLimitStore,
  type FastifyRateLimitStoreCtor,
  type RateLimitPluginOptions,
} from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { failopenMistakes, prefixMistakes } from './given.ts';
import { Hits, type HitsOptions, type Window, windowMistakes } from './hits.ts';
import { OptionsError } from './options-error.ts';

export type { errorResponseBuilderContext };

export type FastifyRateLimitOptions = Omit<RateLimitPluginOptions, 'redis'> & {
  /** An ioredis client, whose address is taken, or where Redis is. Without it the plugin has its own store in memory. */
  readonly redis?: HitsOptions['redis'];
  /** What the store is told beside. */
  readonly failopen?: Omit<HitsOptions, 'redis' | 'prefix'>;
};

const name = 'fastify-rate-limit';

/** What the plugin tells a store, of all routes or of one. */
interface StoreParams {
  readonly continueExceeding?: boolean;
  readonly exponentialBackoff?: boolean;
  readonly ban?: number;
  readonly routeInfo?: { readonly method?: string | readonly string[]; readonly url?: string };
}

type Callback = (error: Error | null, result?: { current: number; ttl: number }) => void;

class HitsStore implements FastifyRateLimitStore {
  readonly #hits: Hits;
  /** What the keys of its routes begin with. */
  readonly #prefix: string;
  /** Refusals after which the plugin answers 403; -1: none. */
  readonly #ban: number;

  constructor(hits: Hits, { continueExceeding, exponentialBackoff, ban = -1 }: StoreParams, prefix = '') {
    const why = 'a bucket refills evenly, whoever goes on asking';
    const mistakes = Object.entries({ continueExceeding, exponentialBackoff }).flatMap(([option, value]) =>
      value === true ? [`${option} is true; allowed: false, since ${why}`] : [],
    );
    if (mistakes.length > 0) throw new OptionsError(name, mistakes);
    this.#hits = hits;
    this.#prefix = prefix;
    this.#ban = ban;
  }

  /** Calls back with an error only for a limit that is none. */
  incr(key: string, callback: Callback, timeWindow: number, max: number): void {
    this.#count({ max, ms: timeWindow }, this.#prefix + key).then((result) => callback(null, result), callback);
  }

  /** The same as `incr` would say, without counting. */
  read(key: string, callback: Callback, timeWindow: number, max: number): void {
    this.#look({ max, ms: timeWindow }, this.#prefix + key).then((result) => callback(null, result), callback);
  }

  child(params: object): HitsStore {
    const { routeInfo: { method = '', url = '' } = {}, ...rest } = params as StoreParams;
    return new HitsStore(this.#hits, rest, `${this.#prefix}${method}${url}-`);
  }

  async #count(window: Window, key: string): Promise<{ current: number; ttl: number }> {
    const { max, ms } = window;
    if (isBoundless(window)) return { current: 1, ttl: ms };
    const { allowed, remaining = max - 1, resetMs, retryAfterMs } = await this.#hits.take(window, key);
    if (allowed) return { current: max - remaining, ttl: Math.ceil(resetMs) };
    return { current: max + (await this.#excess(window, key)), ttl: Math.ceil(retryAfterMs) };
  }

  async #look(window: Window, key: string): Promise<{ current: number; ttl: number }> {
    const { max } = window;
    if (isBoundless(window)) return { current: 0, ttl: 0 };
    const { remaining = max, resetMs } = await this.#hits.look(window, key);
    return { current: max - remaining, ttl: Math.ceil(resetMs) };
  }

  /** How many hits too many a refused one is: as many as it takes to tell a ban. */
  async #excess({ ms }: Window, key: string): Promise<number> {
    if (this.#ban < 1) return 1;
    const max = this.#ban + 1;
    const { remaining = 0 } = await this.#hits.take({ max, ms }, key, 1, 'excess/');
    return max - remaining;
  }
}

/** Whether one hit says all: none is allowed, or all are. Throws an `OptionsError` for a window that is none. */
function isBoundless(window: Window): boolean {
  if (window.max < 1 || window.max === Number.POSITIVE_INFINITY || window.ms === 0) return true;
  const mistakes = windowMistakes(window, { max: 'max', ms: 'timeWindow' });
  if (mistakes.length > 0) throw new OptionsError(name, mistakes);
  return false;
}

async function failopenRateLimit(fastify: FastifyInstance, options: FastifyRateLimitOptions): Promise<void> {
  const { redis, nameSpace, failopen, ...rest } = options;
  const mistakes = [
    ...failopenMistakes(failopen, { redis: 'redis', prefix: 'nameSpace' }),
    ...prefixMistakes('nameSpace', nameSpace),
  ];
  if (mistakes.length > 0) throw new OptionsError(name, mistakes);
  if (redis === undefined) {
    await fastify.register(fastifyRateLimit, rest);
    return;
  }
  const hits = new Hits(name, { ...failopen, redis, prefix: nameSpace });
  fastify.addHook('onClose', async () => hits.close());
  const store = function store(params: StoreParams) {
    return new HitsStore(hits, params);
  } as unknown as FastifyRateLimitStoreCtor;
  await fastify.register(fastifyRateLimit, { ...rest, store });
}

/** Its hooks and decorators are those of whoever registers it, as with the plugin itself. */
const plugin: typeof failopenRateLimit = Object.assign(failopenRateLimit, { [Symbol.for('skip-override')]: true });

export default plugin;
