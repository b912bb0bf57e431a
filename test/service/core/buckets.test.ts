import { afterEach, describe, expect, it } from 'vitest';
import { Batcher } from '../../../service/core/batcher.ts';
import { Breaker } from '../../../service/core/breaker.ts';
import { Buckets } from '../../../service/core/buckets.ts';
import type { ForgivenDebt, GiveBack, GivenBack } from '../../../service/core/give-back.ts';
import { LastDecisions } from '../../../service/core/last-decisions.ts';
import { Limiter } from '../../../service/core/limiter.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import type { Shard } from '../../../service/core/shard.ts';
import { type Outcome, StoreError, type Take } from '../../../service/core/store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const limit = limitOf(4, 1, 2);
const take = takesOf(limit);
const secondUs = 1_000_000;

const closing: Breaker[] = [];
afterEach(() => {
  for (const breaker of closing.splice(0)) breaker.close();
});

/** Over a Redis that owes `debtUs` for every bucket, or `breaks` as told. */
function createBuckets() {
  const clock = { us: 1_000_000 };
  const nowUs = () => clock.us;
  const redis = {
    debtUs: 4 * secondUs,
    breaks: undefined as Error | undefined,
    asked: [] as GiveBack[],
    answer: { isNew: true, debtsUs: [0] } as GivenBack,
  };
  const store = {
    mechanism: 'redis',
    ready: true,
    async decideMany(takes: readonly Take[]): Promise<Outcome[]> {
      if (redis.breaks) throw redis.breaks;
      return takes.map(() => ({
        ...{
          allowed: false,
          limit: 4,
          remaining: 0,
          retryAfterMs: 1000,
          mechanism: 'redis',
          quota: limit.shared.quota,
        },
        resetMs: redis.debtUs / 1000,
      }));
    },
    async giveBack(giveBack: GiveBack): Promise<GivenBack> {
      redis.asked.push(giveBack);
      if (redis.breaks) throw redis.breaks;
      return redis.answer;
    },
  };
  const breaker = new Breaker(store, { failures: 1, resetMs: 60_000, probe: async () => {}, random: () => 0.5 });
  closing.push(breaker);
  const last = new LastDecisions(100, 'redis');
  const shard: Shard = { name: 'the test', store, breaker, batcher: new Batcher(breaker, 128), last };
  const topology = { shards: [shard], shardOf: (key: string) => (key === 'nowhere' ? undefined : shard), close() {} };
  const fallback = new LocalStore({ keysMax: 100, nowUs });
  const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
  const news: (readonly ForgivenDebt[])[] = [];
  const buckets = new Buckets({ topology, fallback, limiter, onForgiven: async (debts) => void news.push(debts) });
  return { clock, redis, shard, fallback, limiter, buckets, news };
}

const timeout = new StoreError('timeout');
/** Whether the limiter repeats a denial from memory. */
const isDenied = async ({ limiter, redis }: ReturnType<typeof createBuckets>, cost = 1) => {
  redis.breaks = new TypeError('nobody may be asked');
  const denied = await new Promise((resolve) => resolve(limiter.decide(take('a', cost)))).catch(() => undefined);
  redis.breaks = undefined;
  return denied !== undefined;
};

describe('a look', () => {
  it("tells Redis's bucket as it is", async () => {
    const { buckets, redis } = createBuckets();
    redis.answer = { isNew: true, debtsUs: [2_500_000] };
    const told = { limit: 4, remaining: 1, resetMs: 2500, mechanism: 'redis', quota: limit.shared.quota };
    expect(await buckets.look(take('a'))).toEqual({ ...told, allowed: true, retryAfterMs: 0 });
    expect(await buckets.look(take('a', 2))).toEqual({ ...told, allowed: false, retryAfterMs: 500 });
    expect(redis.asked.map(({ amount }) => amount)).toEqual(['nothing', 'nothing']);
  });

  it("tells the fallback's where Redis does not answer, is not asked, or is not known, and moves no breaker", async () => {
    const { buckets, redis, shard, limiter } = createBuckets();
    redis.breaks = timeout;
    const told = async (key: string) => {
      const { mechanism, remaining } = await buckets.look(take(key));
      return [mechanism, remaining, redis.asked.length];
    };
    expect([await told('a'), await told('a'), shard.breaker.state]).toEqual([
      ['fallback', 2, 1],
      ['fallback', 2, 2],
      'closed',
    ]);
    await limiter.decide(take('a'));
    await new Promise(setImmediate);
    expect(shard.breaker.state).toBe('open');
    expect([await told('a'), await told('nowhere')]).toEqual([
      ['fallback', 1, 2],
      ['fallback', 2, 2],
    ]);
  });

  it('rejects with a defect of ours', async () => {
    const { buckets, redis } = createBuckets();
    redis.breaks = new TypeError('x is undefined');
    await expect(buckets.look(take('a'))).rejects.toEqual(redis.breaks);
  });
});

describe('a reset', () => {
  it('makes the denial and the fallback bucket forgotten, here and wherever else they are remembered', async () => {
    const it = createBuckets();
    await it.limiter.decide(take('a'));
    it.fallback.decide(take('a', 2));
    expect([await isDenied(it), it.fallback.size]).toEqual([true, 1]);
    await it.buckets.reset(take('a'));
    expect([await isDenied(it), it.fallback.size]).toEqual([false, 0]);
    expect(it.news).toEqual([[{ bucket: 'a', us: Number.POSITIVE_INFINITY }]]);
  });

  it('forgets also what Redis said before it and what is only heard now', async () => {
    const it = createBuckets();
    const asked = it.limiter.decide(take('a'));
    await it.buckets.reset(take('a'));
    await asked;
    expect(await isDenied(it)).toBe(false);
  });

  it('rejects where Redis may not have heard of it, and changes nothing', async () => {
    const it = createBuckets();
    await it.limiter.decide(take('a'));
    it.fallback.decide(take('a', 2));
    it.redis.breaks = timeout;
    await expect(it.buckets.reset(take('a'))).rejects.toEqual(timeout);
    await expect(it.buckets.reset(take('nowhere'))).rejects.toEqual(
      new StoreError('disconnected', 'no store is known for this key'),
    );
    expect([await isDenied(it), it.fallback.size, it.news, it.shard.breaker.state]).toEqual([true, 1, [], 'closed']);
    it.redis.breaks = timeout;
    await it.limiter.decide(take('b'));
    await new Promise(setImmediate);
    await expect(it.buckets.reset(take('a'))).rejects.toEqual(new StoreError('disconnected', 'the breaker is open'));
  });
});

describe('a refund', () => {
  it('lowers what is remembered by its cost, and leaves the fallback bucket', async () => {
    const it = createBuckets();
    await it.limiter.decide(take('a'));
    it.fallback.decide(take('a', 2));
    it.redis.answer = { isNew: true, debtsUs: [2 * secondUs] };
    expect(await it.buckets.refund(take('a', 2), 'id')).toMatchObject({
      isNew: true,
      decision: { allowed: true, remaining: 2, resetMs: 2000, mechanism: 'redis' },
    });
    expect(it.redis.asked).toEqual([{ take: take('a', 2), amount: 'cost', id: 'id' }]);
    expect([await isDenied(it, 2), await isDenied(it, 3)]).toEqual([false, true]);
    expect([it.fallback.size, it.news]).toEqual([1, [[{ bucket: 'a', us: 2 * secondUs }]]]);
  });

  it('changes nothing when its id has been before', async () => {
    const it = createBuckets();
    await it.limiter.decide(take('a'));
    it.redis.answer = { isNew: false, debtsUs: [4 * secondUs] };
    expect((await it.buckets.refund(take('a', 2), 'id')).isNew).toBe(false);
    expect([await isDenied(it), it.news]).toEqual([true, []]);
  });
});

describe('a reset or a refund that must go on', () => {
  it('goes to Redis as the others do, without an id', async () => {
    const it = createBuckets();
    await it.limiter.decide(take('a'));
    expect(await it.buckets.refundAnyway(take('a'))).toMatchObject({ remaining: 4, mechanism: 'redis' });
    expect(it.redis.asked).toEqual([{ take: take('a'), amount: 'cost' }]);
    expect(await it.buckets.resetAnyway(take('a'))).toMatchObject({ remaining: 4, mechanism: 'redis' });
    expect(await isDenied(it)).toBe(false);
  });

  it('is done by this instance alone where Redis does not answer', async () => {
    const it = createBuckets();
    it.fallback.decide(take('a', 2));
    it.redis.breaks = timeout;
    expect(await it.buckets.refundAnyway(take('a'))).toMatchObject({ remaining: 1, mechanism: 'fallback' });
    expect(await it.buckets.refundAnyway(take('nowhere'))).toMatchObject({ remaining: 2 });
    it.fallback.decide(take('a'));
    expect(await it.buckets.resetAnyway(take('a'))).toMatchObject({ remaining: 2, mechanism: 'fallback' });
  });

  it('never fills a fallback bucket beyond full', async () => {
    const it = createBuckets();
    it.redis.breaks = timeout;
    it.fallback.decide(take('a'));
    for (let i = 0; i < 3; i++) await it.buckets.refundAnyway(take('a', 2));
    expect(it.fallback.decide(take('a', 2)).allowed).toBe(true);
    expect(it.fallback.decide(take('a')).allowed).toBe(false);
  });

  it('makes what is remembered of Redis forgotten too, since it would bound the fallback bucket', async () => {
    const it = createBuckets();
    await it.limiter.decide(take('a')); // Redis says that nothing is left
    it.redis.breaks = timeout;
    expect(await it.buckets.look(take('a'))).toMatchObject({ remaining: 0 });
    expect(await it.buckets.refundAnyway(take('a'))).toMatchObject({ remaining: 1 });
    expect(await it.buckets.resetAnyway(take('a'))).toMatchObject({ remaining: 2 });
  });

  it('rejects with a defect of ours', async () => {
    const { buckets, redis } = createBuckets();
    redis.breaks = new TypeError('x is undefined');
    await expect(buckets.resetAnyway(take('a'))).rejects.toEqual(redis.breaks);
    await expect(buckets.refundAnyway(take('a'))).rejects.toEqual(redis.breaks);
  });
});
