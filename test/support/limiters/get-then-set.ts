// Reads the bucket and writes it back, which another instance may do in between.

import { type Decision, decision, Limiter, nameOf, RedisStore, refill, settings } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class NotAtomic extends RedisStore {
  override async take(key: string): Promise<Decision> {
    const name = nameOf(key);
    const read = await this.redis.get(name);
    const nowMs = Date.now();
    const [level, atMs] = read === null ? [settings.capacity, nowMs] : (JSON.parse(read) as [number, number]);
    const full = Math.min(settings.capacity, level + Math.max(0, nowMs - atMs) * refill);
    const allowed = full >= 1;
    const left = allowed ? full - 1 : full;
    const before = await this.redis.set(name, JSON.stringify([left, nowMs]), 'PX', settings.windowMs + 1000, 'GET');
    if (before !== read) mark();
    return decision(allowed, left);
  }
}

await serve(new Limiter({ store: new NotAtomic() }));
