import { afterEach, describe, expect, it } from 'vitest';
import { Batcher } from '../../../service/core/batcher.ts';
import { Breaker } from '../../../service/core/breaker.ts';
import { LastDecisions } from '../../../service/core/last-decisions.ts';
import { createLimit, type Limit, type OnStoreFailure } from '../../../service/core/limit.ts';
import { Limiter } from '../../../service/core/limiter.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import type { Shard } from '../../../service/core/shard.ts';
import {
  type BatchStore,
  type Decision,
  type Outcome,
  StoreError,
  type Take,
  takeOf,
} from '../../../service/core/store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const limit = limitOf(4, 1, 2);
const { quota } = limit.shared;
const take = takesOf(limit);
/** What stands in for Redis has a bucket as large as Redis's. */
const inRedis = limitOf(4, 1);

const closing: Breaker[] = [];
afterEach(() => {
  for (const breaker of closing.splice(0)) breaker.close();
});

/** A limiter over a Redis that a bucket in memory stands in for, or that `breaks` as told. */
function createLimiter({ failures = 3 } = {}) {
  const clock = { us: 1_000_000 };
  const nowUs = () => clock.us;
  const redis = {
    buckets: new LocalStore({ keysMax: 100, nowUs }),
    requested: [] as string[],
    breaks: undefined as Error | undefined,
  };
  const store = {
    mechanism: 'redis',
    ready: true,
    async decideMany(takes: readonly Take[]): Promise<Outcome[]> {
      redis.requested.push(...takes.map(({ key }) => key));
      if (redis.breaks) throw redis.breaks;
      return takes.map(({ key, charges }) => {
        const decision = redis.buckets.decide(takeOf([inRedis], key, charges[0]?.cost ?? 0));
        return { ...decision, mechanism: 'redis' };
      });
    },
    giveBack: () => Promise.reject(new Error('no take gives anything back')),
  };
  const breaker = new Breaker(store, { failures, resetMs: 60_000, probe: async () => {}, random: () => 0.5 });
  closing.push(breaker);
  const shard: Shard = {
    name: 'the test',
    store,
    breaker,
    batcher: new Batcher(breaker, 128),
    last: new LastDecisions(100, store.mechanism),
  };
  const topology = { shards: [shard], shardOf: (key: string) => (key === 'nowhere' ? undefined : shard), close() {} };
  const fallback = new LocalStore({ keysMax: 100, nowUs });
  const decided: [Decision, number][] = [];
  return {
    clock,
    redis,
    shard,
    fallback,
    decided,
    limiter: new Limiter({
      topology,
      fallback,
      nowUs,
      onDecision: (decision, seconds) => decided.push([decision, seconds]),
    }),
  };
}

const timeout = new StoreError('timeout');
const denial: Decision = {
  allowed: false,
  limit: 4,
  remaining: 0,
  retryAfterMs: 1000,
  resetMs: 4000,
  mechanism: 'redis',
  quota,
};

describe('Limiter', () => {
  it('is answered by Redis, and asks it for every take that may be admitted', async () => {
    const { redis, limiter } = createLimiter();
    expect([await limiter.decide(take('a')), await limiter.decide(take('a', 2))]).toEqual([
      { allowed: true, limit: 4, remaining: 3, retryAfterMs: 0, resetMs: 1000, mechanism: 'redis', quota },
      { allowed: true, limit: 4, remaining: 1, retryAfterMs: 0, resetMs: 3000, mechanism: 'redis', quota },
    ]);
    expect(redis.requested).toEqual(['a', 'a']);
  });

  it('denies for Redis, without asking it, until a token can have come back; then asks', async () => {
    const { clock, redis, limiter } = createLimiter();
    await limiter.decide(take('a', 4));
    expect([await limiter.decide(take('a')), await limiter.decide(take('a'))]).toEqual([denial, denial]);
    clock.us += 999_999;
    expect(await limiter.decide(take('a'))).toEqual({ ...denial, retryAfterMs: 0.001, resetMs: 3000.001 });
    expect(redis.requested).toEqual(['a']);
    clock.us += 1;
    expect(await limiter.decide(take('a'))).toMatchObject({
      allowed: true,
      remaining: 0,
      mechanism: 'redis',
    });
    expect(redis.requested).toEqual(['a', 'a']);
  });

  it('asks Redis for a smaller cost than the one that was denied', async () => {
    const { redis, limiter } = createLimiter();
    await limiter.decide(take('a', 2));
    expect((await limiter.decide(take('a', 3))).allowed).toBe(false);
    expect(await limiter.decide(take('a', 2))).toMatchObject({ allowed: true, remaining: 0 });
    expect(redis.requested).toEqual(['a', 'a']);
  });

  it('is answered by the fallback when Redis cannot decide', async () => {
    const { redis, limiter } = createLimiter();
    redis.breaks = timeout;
    expect(await limiter.decide(take('a'))).toEqual({
      allowed: true,
      limit: 2,
      remaining: 1,
      retryAfterMs: 0,
      resetMs: 1000,
      mechanism: 'fallback',
      quota: limit.fallback.quota,
    });
  });

  it('is answered by the fallback when the key alone cannot be decided', async () => {
    const { redis, shard, limiter } = createLimiter();
    const decideMany = shard.store as unknown as { decideMany: (takes: readonly Take[]) => Promise<Outcome[]> };
    decideMany.decideMany = async (takes) => takes.map(() => new StoreError('wrongtype'));
    for (let i = 0; i < 5; i++) expect((await limiter.decide(take('a'))).mechanism).toBe('fallback');
    expect([shard.breaker.state, redis.requested]).toEqual(['closed', []]);
  });

  it('asks nothing of Redis, and repeats no denial of it, while the breaker is open', async () => {
    const { redis, shard, limiter } = createLimiter({ failures: 1 });
    await limiter.decide(take('a', 4));
    redis.breaks = timeout;
    await limiter.decide(take('b'));
    await new Promise(setImmediate); // the caller has its answer before the breaker hears of the call
    expect(shard.breaker.state).toBe('open');
    redis.requested = [];
    expect([(await limiter.decide(take('a'))).mechanism, (await limiter.decide(take('c'))).mechanism]).toEqual([
      'fallback',
      'fallback',
    ]);
    expect(redis.requested).toEqual([]);
  });

  it("starts a key's fallback bucket from the tokens that Redis had left for it, and from a full one without its word", async () => {
    const { clock, redis, limiter } = createLimiter({ failures: 1 });
    await limiter.decide(take('spent', 4));
    await limiter.decide(take('some', 3));
    await limiter.decide(take('hardly'));
    clock.us += 500_000;
    redis.breaks = timeout;
    const firsts = await Promise.all(['spent', 'some', 'hardly', 'new'].map((key) => limiter.decide(take(key))));
    // By Redis 0.5, 1.5 and 3.5 tokens were left; the fallback bucket holds 2.
    expect(
      firsts.map(({ allowed, remaining, resetMs, mechanism }) => [allowed, remaining, resetMs, mechanism]),
    ).toEqual([
      [false, 0, 3500, 'redis'],
      [true, 0, 1500, 'fallback'],
      [true, 1, 1000, 'fallback'],
      [true, 1, 1000, 'fallback'],
    ]);
    const spent = await limiter.decide(take('spent'));
    expect(spent).toEqual({
      allowed: false,
      limit: 2,
      remaining: 0,
      retryAfterMs: 500,
      resetMs: 1500,
      mechanism: 'fallback',
      quota: limit.fallback.quota,
    });
  });

  it('decides on the fallback while nobody knows which Redis has the key', async () => {
    const { redis, limiter } = createLimiter();
    expect((await limiter.decide(take('nowhere'))).mechanism).toBe('fallback');
    expect(redis.requested).toEqual([]);
  });

  it('tells each decision once, with the time that it took, whoever decided', async () => {
    const { clock, redis, limiter, decided } = createLimiter({ failures: 1 });
    const asked = limiter.decide(take('a', 4));
    clock.us += 2000;
    const decisions = [await asked, await limiter.decide(take('a'))];
    redis.breaks = timeout;
    decisions.push(await limiter.decide(take('b')));
    await new Promise(setImmediate);
    decisions.push(await limiter.decide(take('b'))); // the breaker is open
    expect(decided).toEqual(decisions.map((decision, i) => [decision, i === 0 ? 0.002 : 0]));
    expect(decisions.map(({ mechanism }) => mechanism)).toEqual(['redis', 'redis', 'fallback', 'fallback']);
  });

  it('looks at the fallback bucket without a take, a count, or the beginning of an outage', async () => {
    const { clock, redis, fallback, limiter, decided } = createLimiter();
    const open = createLimit({
      name: 'open',
      capacity: 2,
      refillPerSecond: 1,
      onStoreFailure: { mode: 'open', forMs: 1 },
    });
    expect(limiter.lookLocally(take('a', 2), timeout)).toEqual({
      allowed: true,
      limit: 2,
      remaining: 2,
      retryAfterMs: 0,
      resetMs: 0,
      mechanism: 'fallback',
      quota: limit.fallback.quota,
    });
    expect(limiter.lookLocally(takeOf([open], 'a', 1), timeout).mechanism).toBe('open');
    expect(limiter.lookLocally(takeOf([open], 'a', 1), new StoreError('wrongtype')).mechanism).toBe('fallback');
    expect([fallback.size, redis.requested, decided]).toEqual([0, [], []]);
    clock.us += 1_000_000;
    redis.breaks = timeout;
    expect((await limiter.decide(takeOf([open], 'a', 1))).mechanism).toBe('open');
  });

  it('rejects with a defect of ours, and does not hide it behind the fallback', async () => {
    const { redis, limiter } = createLimiter();
    redis.breaks = new TypeError('x is undefined');
    await expect(limiter.decide(take('a'))).rejects.toEqual(new TypeError('x is undefined'));
  });
});

describe('a take that Redis cannot decide', () => {
  const limitFor = (mode: OnStoreFailure['mode'], forMs = Number.POSITIVE_INFINITY): Limit =>
    createLimit({ name: mode, prefix: `${mode}:`, capacity: 2, refillPerSecond: 1, onStoreFailure: { mode, forMs } });
  const openDecision = { allowed: true, limit: 2, retryAfterMs: 0, resetMs: 0, mechanism: 'open' };
  const closedDecision = { allowed: false, limit: 2, retryAfterMs: 1000, resetMs: 0, mechanism: 'closed' };
  const broken = () => {
    const parts = createLimiter({ failures: 1 });
    parts.redis.breaks = timeout;
    return parts;
  };

  it('is allowed or refused where its limit says so, whether the breaker is open or not, with no word on what is left', async () => {
    const { limiter, shard, decided } = broken();
    const [open, closed] = [limitFor('open'), limitFor('closed')];
    for (const state of ['closed', 'open']) {
      expect(shard.breaker.state).toBe(state);
      expect(await limiter.decide(takeOf([open], 'a', 1))).toEqual({ ...openDecision, quota: open.shared.quota });
      await new Promise(setImmediate);
      expect(await limiter.decide(takeOf([closed], 'a', 1))).toEqual({ ...closedDecision, quota: closed.shared.quota });
    }
    expect(decided.length).toBe(4);
  });

  it('of several limits is refused by one that is closed, and else decided by those that leave it to the fallback; each is told', async () => {
    const { limiter } = broken();
    const [open, closed, fallback] = [limitFor('open'), limitFor('closed'), limitFor('fallback')];
    const gist = async (...limits: Limit[]) => {
      const { allowed, mechanism, each = [], quota } = await limiter.decide(takeOf(limits, 'a', 2));
      return [allowed, mechanism, quota.name, each.map((one) => [one.quota.name, one.allowed, one.remaining])];
    };
    expect(await gist(open, fallback, closed)).toEqual([
      false,
      'closed',
      'closed',
      [
        ['open', true, undefined],
        ['fallback', true, undefined],
        ['closed', false, undefined],
      ],
    ]);
    for (const allowed of [true, false]) {
      expect(await gist(open, fallback)).toEqual([
        allowed,
        'fallback',
        'fallback',
        [
          ['open', true, undefined],
          ['fallback', allowed, 0],
        ],
      ]);
    }
  });

  it('is left to the fallback, whatever its limit says, when its key alone cannot be decided: that is no outage', async () => {
    const { limiter, clock, redis, shard } = createLimiter({ failures: 1 });
    const { decideMany } = shard.store as unknown as BatchStore;
    const decides = decideMany.bind(shard.store);
    Object.assign(shard.store, {
      decideMany: async (takes: readonly Take[]) => {
        const outcomes = await decides(takes);
        return takes.map(({ key }, i) => (key === 'foreign' ? new StoreError('wrongtype') : outcomes[i]));
      },
    });
    const limits = [limitFor('open'), limitFor('closed'), limitFor('closed', 5000)];
    const mechanisms = async (key: string) =>
      (await Promise.all(limits.map((it) => limiter.decide(takeOf([it], key, 1))))).map(({ mechanism }) => mechanism);
    for (let second = 0; second < 20; second++) {
      expect(await mechanisms('foreign')).toEqual(['fallback', 'fallback', 'fallback']);
      clock.us += 1_000_000;
    }
    redis.breaks = timeout;
    expect(await mechanisms('own')).toEqual(['open', 'closed', 'closed']);
    clock.us += 4_900_000;
    expect(await mechanisms('own')).toEqual(['open', 'closed', 'closed']);
    clock.us += 100_000;
    expect(await mechanisms('own')).toEqual(['open', 'closed', 'fallback']);
  });

  it('is left to the fallback once the budget for an outage is used up', async () => {
    const { limiter, clock, redis } = createLimiter();
    const open = limitFor('open', 30_000);
    const mechanism = async () => (await limiter.decide(takeOf([open], 'a', 1))).mechanism;
    redis.breaks = timeout;
    expect(await mechanism()).toBe('open');
    clock.us += 29_999_999;
    expect(await mechanism()).toBe('open');
    clock.us += 1;
    expect(await mechanism()).toBe('fallback');
  });

  it('is used up by a store that comes and goes, and begins anew when it has failed nothing for 10 s', async () => {
    const { limiter, clock, redis } = createLimiter();
    const open = limitFor('open', 3000);
    const mechanism = async (breaks: StoreError | undefined) => {
      redis.breaks = breaks;
      clock.us += 1_000_000;
      return (await limiter.decide(takeOf([open], `${clock.us}`, 1))).mechanism;
    };
    const comesAndGoes = [];
    for (let i = 0; i < 3; i++) comesAndGoes.push(await mechanism(timeout), await mechanism(undefined));
    expect(comesAndGoes).toEqual(['open', 'redis', 'open', 'redis', 'fallback', 'redis']);
    clock.us += 8_000_000;
    expect([await mechanism(undefined), await mechanism(timeout)]).toEqual(['redis', 'open']);
  });

  it('has the whole budget again when the store answered once, and then nobody asked until it failed anew', async () => {
    const { limiter, clock, redis } = createLimiter();
    const take = takeOf([limitFor('open', 3000)], 'a', 1);
    const mechanism = async (breaks: StoreError | undefined) => {
      redis.breaks = breaks;
      return (await limiter.decide(take)).mechanism;
    };
    expect(await mechanism(timeout)).toBe('open');
    clock.us += 5_000_000;
    expect(await mechanism(timeout)).toBe('fallback');
    clock.us += 1_000_000;
    expect(await mechanism(undefined)).toBe('redis');
    clock.us += 3_600_000_000;
    expect(limiter.lookLocally(take, timeout).mechanism).toBe('open');
    expect(await mechanism(timeout)).toBe('open');
    clock.us += 3_600_000_000; // nothing answered since: it is the same outage, however long nobody asks
    expect(await mechanism(timeout)).toBe('fallback');
  });
});
