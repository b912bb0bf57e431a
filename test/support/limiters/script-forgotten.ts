// Calls its script by a hash, and does not load it again after Redis has lost it.

import { once } from 'node:events';
import { type Decision, Limiter, nameOf, RedisStore, refill, settings, takeScript } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class ByHash extends RedisStore {
  readonly #hash = once(this.redis, 'ready').then(() => this.redis.script('LOAD', takeScript)) as Promise<string>;

  override async take(key: string): Promise<Decision> {
    try {
      return this.read(await this.redis.evalsha(await this.#hash, 1, nameOf(key), settings.capacity, refill));
    } catch (error) {
      if ((error as Error).message.startsWith('NOSCRIPT')) mark();
      throw error;
    }
  }
}

await serve(new Limiter({ store: new ByHash() }));
