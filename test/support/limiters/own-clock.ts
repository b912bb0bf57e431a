// Takes the time from the clock of the instance, which may be wrong.

import { type Decision, Limiter, nameOf, RedisStore, refill, settings, takeAtNow } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

/** Beyond what a reply takes. */
const apartMs = 20;
const script = `local now = tonumber(ARGV[3])${takeAtNow}`;
const timeEveryMs = 500;

class OwnClock extends RedisStore {
  override async take(key: string): Promise<Decision> {
    const nowMs = Date.now();
    const reply = await this.redis.eval(script, 1, nameOf(key), settings.capacity, refill, nowMs);
    return this.read(reply);
  }

  /** Compares it with that of Redis, as nobody does who takes the time from it. */
  async compare(): Promise<void> {
    const sentMs = Date.now();
    const [seconds, us] = await this.redis.time();
    const redisMs = Number(seconds) * 1000 + Number(us) / 1000;
    if (redisMs < sentMs - apartMs || redisMs > Date.now() + apartMs) mark();
  }
}

const store = new OwnClock();
setInterval(() => store.compare().catch(() => {}), timeEveryMs).unref();
await serve(new Limiter({ store }));
