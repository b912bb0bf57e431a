// A take of several buckets has what it asks for of all of them, or nothing of any: whoever decides, however many come at
// once. The limits refill so slowly that the tokens left tell which takes were allowed.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../service/config/env.ts';
import { createLimit, type Limit } from '../../service/core/limit.ts';
import { Limiter } from '../../service/core/limiter.ts';
import { LocalStore } from '../../service/core/local-store.ts';
import { type Decision, type Take, takeOf } from '../../service/core/store.ts';
import { connect } from '../../service/redis/connect.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { until } from '../support/until.ts';

const slow = (name: string, capacity: number): Limit =>
  createLimit({ name, prefix: `${name}:`, capacity, refillPerSecond: capacity / 31_536_000 });
const limits = [slow('small', 5), slow('middle', 12), slow('large', 30)] as const;

const nowUs = () => performance.now() * 1000;

/** A limiter of an instance, on the Redis that the settings name. */
async function connectLimiter(settings: Record<string, string>) {
  const topology = connect(readConfig(settings).redis, {
    timeoutMs: 10_000, // a busy machine is not what is tested here
    nowUs,
    breakerFailures: 3,
    breakerResetMs: 1000,
    keysMax: 10_000,
    onConnection: () => {},
    instances: () => 1,
    onAnswer: () => {},
    onError: () => {},
    onTransition: () => {},
  });
  const fallback = new LocalStore({ keysMax: 10_000, nowUs });
  const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
  return { limiter, topology, [Symbol.dispose]: topology.close };
}

async function connectedLimiter(settings: Record<string, string>, masters: number) {
  const it = await connectLimiter(settings);
  await until('every master', () => it.topology.shards.filter(({ store }) => store.ready).length === masters);
  return it;
}

let redis: RedisProcess;
let cluster: RedisCluster;
beforeAll(async () => {
  [redis, cluster] = await Promise.all([startRedis(), startCluster()]);
});
afterAll(() => Promise.all([redis[Symbol.asyncDispose](), cluster[Symbol.asyncDispose]()]));

const kinds = [
  {
    who: 'one Redis',
    mechanism: 'redis',
    connect: () => connectedLimiter({ REDIS_URL: redis.url }, 1),
  },
  {
    who: 'a Redis Cluster',
    mechanism: 'redis',
    connect: () => connectedLimiter({ REDIS_CLUSTER_ADDRS: cluster.seeds }, 3),
  },
  {
    who: 'the fallback',
    mechanism: 'fallback',
    connect: () => connectLimiter({ REDIS_ADDR: '127.0.0.1:1' }), // nothing listens there
  },
];

const request = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  of: fc.subarray([...limits], { minLength: 1 }),
  cost: fc.integer({ min: 1, max: 6 }),
});
/** Each inner list comes at once. */
const requests = fc.array(fc.array(request, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });

describe.each(kinds)('takes of several buckets, decided by $who', ({ mechanism, connect }) => {
  let run = 0;

  it('are allowed when every bucket holds what they ask for, and take from none otherwise', async () => {
    using connected = await connect();
    const { limiter } = connected;
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(requests, async (rounds) => {
        const nameOf = (key: string) => `${mechanism}-${run}-${key}`;
        run++;
        const left = new Map<string, number>();
        const leftOf = (key: string, limit: Limit) => left.get(limit.prefix + key) ?? limit.shared.capacity;
        for (const round of rounds) {
          const decisions = await Promise.all(
            round.map(({ key, of, cost }) => limiter.decide(takeOf(of, nameOf(key), cost))),
          );
          for (const [i, { key, of, cost }] of round.entries()) {
            const allowed = of.every((limit) => leftOf(key, limit) >= cost);
            if (allowed) for (const limit of of) left.set(limit.prefix + key, leftOf(key, limit) - cost);
            const decision = decisions[i] as Decision;
            seen.add(`${decision.mechanism} ${allowed} ${of.length > 1}`);
            expect([decision.allowed, decision.retryAfterMs > 0]).toEqual([allowed, !allowed]);
            expect(decision.each?.length ?? 1).toBe(of.length);
          }
        }
        // Each bucket holds what is left by the sums, and not a token more.
        for (const key of ['a', 'b', 'c']) {
          for (const limit of limits) {
            const rest = leftOf(key, limit);
            if (rest > 0)
              expect(await limiter.decide(takeOf([limit], nameOf(key), rest))).toMatchObject({ allowed: true });
            expect(await limiter.decide(takeOf([limit], nameOf(key), 1))).toMatchObject({
              allowed: false,
              remaining: 0,
            });
          }
        }
      }),
      { numRuns: 200 },
    );
    const all = [true, false].flatMap((allowed) =>
      [true, false].map((several) => `${mechanism} ${allowed} ${several}`),
    );
    expect([...seen].sort()).toEqual(all.sort());
  });

  it('are told of by the bucket that binds: the emptiest of an allowed take, the one that is waited for of a denied', async () => {
    using connected = await connect();
    const { limiter } = connected;
    const key = `binding-${mechanism}-${performance.now()}`;
    const [small, middle, large] = limits;
    const gist = async (take: Take) => {
      const { allowed, remaining, quota, each } = await limiter.decide(take);
      return [allowed, quota.name, remaining, each?.map((it) => [it.allowed, it.remaining])];
    };
    expect(await gist(takeOf([large], key, 28))).toEqual([true, 'large', 2, undefined]);
    expect(await gist(takeOf([small, large], key, 1))).toEqual([
      true,
      'large',
      1,
      [
        [true, 4],
        [true, 1],
      ],
    ]);
    expect(await gist(takeOf(limits, key, 2))).toEqual([
      false,
      'large',
      1,
      [
        [true, 4],
        [true, 12],
        [false, 1],
      ],
    ]);
    expect(await gist(takeOf([small, middle], key, 1))).toEqual([
      true,
      'small',
      3,
      [
        [true, 3],
        [true, 11],
      ],
    ]);
  });
});

// Instances share no fallback.
describe.each(kinds.filter(({ mechanism }) => mechanism === 'redis'))(
  'takes of two instances, decided by $who',
  ({ connect }) => {
    it('leave in each bucket what the allowed ones did not cost, when all come at once', async () => {
      using one = await connect();
      using other = await connect();
      const keys = Array.from({ length: 20 }, (_, i) => `shared-${performance.now()}-${i}`);
      const allowed = new Map(keys.map((key) => [key, [0, 0, 0]]));
      await Promise.all(
        Array.from({ length: 400 }, async (_, n) => {
          const key = keys[n % keys.length] as string;
          const of = [[0, 1], [1, 2], [0, 1, 2], [2]][Math.floor(n / keys.length) % 4] as number[];
          const cost = 1 + (n % 3);
          const { limiter } = n % 7 < 3 ? one : other;
          const decision = await limiter.decide(
            takeOf(
              of.map((i) => limits[i] as Limit),
              key,
              cost,
            ),
          );
          const sums = allowed.get(key) as number[];
          if (decision.allowed) for (const i of of) sums[i] = (sums[i] as number) + cost;
        }),
      );
      for (const [key, sums] of allowed) {
        for (const [i, limit] of limits.entries()) {
          const rest = limit.shared.capacity - (sums[i] as number);
          expect(rest).toBeGreaterThanOrEqual(0);
          const ask = (cost: number) => one.limiter.decide(takeOf([limit], key, cost));
          if (rest > 0) expect(await ask(rest)).toMatchObject({ allowed: true, mechanism: 'redis' });
          expect(await ask(1)).toMatchObject({ allowed: false, mechanism: 'redis' });
        }
      }
    });
  },
);
