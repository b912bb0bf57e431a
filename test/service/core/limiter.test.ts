import { afterEach, describe, expect, it } from 'vitest';
import { Batcher } from '../../../service/core/batcher.ts';
import { Breaker } from '../../../service/core/breaker.ts';
import { LastDecisions } from '../../../service/core/last-decisions.ts';
import { Limiter } from '../../../service/core/limiter.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import type { Shard } from '../../../service/core/shard.ts';
import { type Decision, type Outcome, StoreError, type Take } from '../../../service/core/store.ts';

const policy = { name: 'default', capacity: 4, refillPerSecond: 1 };
const fallbackPolicy = { name: 'default', capacity: 2, refillPerSecond: 1 };

const closing: Breaker[] = [];
afterEach(() => {
  for (const breaker of closing.splice(0)) breaker.close();
});

/** A limiter over a Redis that a bucket in memory stands in for, or that `breaks` as told. */
function createLimiter({ failures = 3 } = {}) {
  const clock = { us: 1_000_000 };
  const nowUs = () => clock.us;
  const redis = {
    buckets: new LocalStore(policy, { keysMax: 100, nowUs }),
    requested: [] as string[],
    resets: [] as string[],
    breaks: undefined as Error | undefined,
    /** Called when it is asked to reset. */
    onReset: (): void => {},
  };
  const store = {
    mechanism: 'redis',
    ready: true,
    async takeMany(takes: readonly Take[]): Promise<Outcome[]> {
      redis.requested.push(...takes.map(({ key }) => key));
      if (redis.breaks) throw redis.breaks;
      return takes.map((it) => ({ ...redis.buckets.take(it), mechanism: 'redis' }));
    },
    async reset(key: string): Promise<void> {
      redis.onReset();
      if (redis.breaks) throw redis.breaks;
      redis.resets.push(key);
      redis.buckets.forget(key);
    },
  };
  const breaker = new Breaker(store, { failures, resetMs: 60_000, probe: async () => {}, random: () => 0.5 });
  closing.push(breaker);
  const shard: Shard = {
    name: 'the test',
    store,
    breaker,
    batcher: new Batcher(breaker, 128),
    last: new LastDecisions(policy, 100, store.mechanism),
  };
  const topology = { shards: [shard], shardOf: (key: string) => (key === 'nowhere' ? undefined : shard), close() {} };
  const fallback = new LocalStore(fallbackPolicy, { keysMax: 100, nowUs });
  return { clock, redis, shard, fallback, limiter: new Limiter({ topology, fallback, nowUs }) };
}

const timeout = new StoreError('timeout');
const denial: Decision = {
  allowed: false,
  limit: 4,
  remaining: 0,
  retryAfterMs: 1000,
  resetMs: 4000,
  mechanism: 'redis',
};

describe('Limiter', () => {
  it('is answered by Redis, and asks it for every take that may be admitted', async () => {
    const { redis, limiter } = createLimiter();
    expect([await limiter.take({ key: 'a', cost: 1 }), await limiter.take({ key: 'a', cost: 2 })]).toEqual([
      { allowed: true, limit: 4, remaining: 3, retryAfterMs: 0, resetMs: 1000, mechanism: 'redis' },
      { allowed: true, limit: 4, remaining: 1, retryAfterMs: 0, resetMs: 3000, mechanism: 'redis' },
    ]);
    expect(redis.requested).toEqual(['a', 'a']);
  });

  it('denies for Redis, without asking it, until a token can have come back; then asks', async () => {
    const { clock, redis, limiter } = createLimiter();
    await limiter.take({ key: 'a', cost: 4 });
    expect([await limiter.take({ key: 'a', cost: 1 }), await limiter.take({ key: 'a', cost: 1 })]).toEqual([
      denial,
      denial,
    ]);
    clock.us += 999_999;
    expect(await limiter.take({ key: 'a', cost: 1 })).toEqual({ ...denial, retryAfterMs: 0.001, resetMs: 3000.001 });
    expect(redis.requested).toEqual(['a']);
    clock.us += 1;
    expect(await limiter.take({ key: 'a', cost: 1 })).toMatchObject({
      allowed: true,
      remaining: 0,
      mechanism: 'redis',
    });
    expect(redis.requested).toEqual(['a', 'a']);
  });

  it('asks Redis for a smaller cost than the one that was denied', async () => {
    const { redis, limiter } = createLimiter();
    await limiter.take({ key: 'a', cost: 2 });
    expect((await limiter.take({ key: 'a', cost: 3 })).allowed).toBe(false);
    expect(await limiter.take({ key: 'a', cost: 2 })).toMatchObject({ allowed: true, remaining: 0 });
    expect(redis.requested).toEqual(['a', 'a']);
  });

  it('is answered by the fallback when Redis cannot decide', async () => {
    const { redis, limiter } = createLimiter();
    redis.breaks = timeout;
    expect(await limiter.take({ key: 'a', cost: 1 })).toEqual({
      allowed: true,
      limit: 2,
      remaining: 1,
      retryAfterMs: 0,
      resetMs: 1000,
      mechanism: 'fallback',
    });
  });

  it('is answered by the fallback when the key alone cannot be decided', async () => {
    const { redis, shard, limiter } = createLimiter();
    const takeMany = shard.store as unknown as { takeMany: (takes: readonly Take[]) => Promise<Outcome[]> };
    takeMany.takeMany = async (takes) => takes.map(() => new StoreError('wrongtype'));
    for (let i = 0; i < 5; i++) expect((await limiter.take({ key: 'a', cost: 1 })).mechanism).toBe('fallback');
    expect([shard.breaker.state, redis.requested]).toEqual(['closed', []]);
  });

  it('asks nothing of Redis, and repeats no denial of it, while the breaker is open', async () => {
    const { redis, shard, limiter } = createLimiter({ failures: 1 });
    await limiter.take({ key: 'a', cost: 4 });
    redis.breaks = timeout;
    await limiter.take({ key: 'b', cost: 1 });
    await new Promise(setImmediate); // the caller has its answer before the breaker hears of the call
    expect(shard.breaker.state).toBe('open');
    redis.requested = [];
    expect([
      (await limiter.take({ key: 'a', cost: 1 })).mechanism,
      (await limiter.take({ key: 'c', cost: 1 })).mechanism,
    ]).toEqual(['fallback', 'fallback']);
    expect(redis.requested).toEqual([]);
  });

  it("starts a key's fallback bucket from the tokens that Redis had left for it, and from a full one without its word", async () => {
    const { clock, redis, limiter } = createLimiter({ failures: 1 });
    await limiter.take({ key: 'spent', cost: 4 });
    await limiter.take({ key: 'some', cost: 3 });
    await limiter.take({ key: 'hardly', cost: 1 });
    clock.us += 500_000;
    redis.breaks = timeout;
    const firsts = await Promise.all(['spent', 'some', 'hardly', 'new'].map((key) => limiter.take({ key, cost: 1 })));
    // By Redis 0.5, 1.5 and 3.5 tokens were left; the fallback bucket holds 2.
    expect(
      firsts.map(({ allowed, remaining, resetMs, mechanism }) => [allowed, remaining, resetMs, mechanism]),
    ).toEqual([
      [false, 0, 3500, 'redis'],
      [true, 0, 1500, 'fallback'],
      [true, 1, 1000, 'fallback'],
      [true, 1, 1000, 'fallback'],
    ]);
    const spent = await limiter.take({ key: 'spent', cost: 1 });
    expect(spent).toEqual({
      allowed: false,
      limit: 2,
      remaining: 0,
      retryAfterMs: 500,
      resetMs: 1500,
      mechanism: 'fallback',
    });
  });

  it('decides on the fallback while nobody knows which Redis has the key', async () => {
    const { redis, limiter } = createLimiter();
    expect((await limiter.take({ key: 'nowhere', cost: 1 })).mechanism).toBe('fallback');
    expect(redis.requested).toEqual([]);
  });

  it('rejects with a defect of ours, and does not hide it behind the fallback', async () => {
    const { redis, limiter } = createLimiter();
    redis.breaks = new TypeError('x is undefined');
    await expect(limiter.take({ key: 'a', cost: 1 })).rejects.toEqual(new TypeError('x is undefined'));
  });
});

describe('a reset of a key', () => {
  it('fills its bucket in Redis and here, and forgets the denial', async () => {
    const { redis, limiter } = createLimiter();
    await limiter.take({ key: 'a', cost: 4 });
    expect(await limiter.take({ key: 'a', cost: 1 })).toEqual(denial);
    await limiter.reset('a');
    expect(redis.resets).toEqual(['a']);
    expect(await limiter.take({ key: 'a', cost: 1 })).toMatchObject({
      allowed: true,
      remaining: 3,
      mechanism: 'redis',
    });
  });

  it('fills its fallback bucket', async () => {
    const { redis, fallback, limiter } = createLimiter();
    redis.breaks = timeout;
    await limiter.take({ key: 'a', cost: 2 });
    expect((await limiter.take({ key: 'a', cost: 1 })).allowed).toBe(false);
    redis.breaks = undefined;
    await limiter.reset('a');
    expect(fallback.size).toBe(0);
    redis.breaks = timeout;
    expect(await limiter.take({ key: 'a', cost: 1 })).toMatchObject({
      allowed: true,
      remaining: 1,
      mechanism: 'fallback',
    });
  });

  it('forgets also what Redis said of the key while it was being asked to reset it', async () => {
    const { redis, shard, limiter } = createLimiter();
    redis.onReset = () => shard.last.learn('a', denial, 1_000_000);
    await limiter.reset('a');
    expect(await limiter.take({ key: 'a', cost: 4 })).toMatchObject({
      allowed: true,
      remaining: 0,
      mechanism: 'redis',
    });
  });

  it('rejects when Redis does not hear it, but holds here', async () => {
    const { redis, shard, limiter } = createLimiter();
    await limiter.take({ key: 'a', cost: 4 });
    redis.breaks = timeout;
    await expect(limiter.reset('a')).rejects.toEqual(timeout);
    expect([shard.last.size, redis.resets]).toEqual([0, []]);
  });

  it('rejects while nobody knows which Redis has the key', async () => {
    const { limiter } = createLimiter();
    await expect(limiter.reset('nowhere')).rejects.toEqual(
      new StoreError('disconnected', 'no store is known for this key'),
    );
  });
});
