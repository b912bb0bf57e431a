// Takes the time from the clock of the instance, and one of two is ahead.

import { once } from 'node:events';
import { type Decision, Limiter, nameOf, RedisStore, refill, settings, takeAtNow } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

const aheadMs = 5000;
const script = `local now = tonumber(ARGV[3])${takeAtNow}`;

class OwnClock extends RedisStore {
  /** In Redis, where the instances can tell which one of them is the first. */
  readonly #isFirst = once(this.redis, 'ready').then(async () => (await this.redis.incr('instances')) === 1);

  override async take(key: string): Promise<Decision> {
    const isAhead = await this.#isFirst;
    if (isAhead) mark();
    const nowMs = Date.now() + (isAhead ? aheadMs : 0);
    return this.read(await this.redis.eval(script, 1, nameOf(key), settings.capacity, refill, nowMs));
  }
}

await serve(new Limiter({ store: new OwnClock() }));
