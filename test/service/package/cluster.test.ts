// The package on Redis Cluster.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLimiter, type Limiter } from '../../../service/package/index.ts';
import { RateLimiterRedis, RateLimiterRes } from '../../../service/package/rate-limiter-flexible.ts';
import { type RedisCluster, startCluster } from '../../support/redis-cluster.ts';
import { until } from '../../support/until.ts';

let cluster: RedisCluster;
const redis = () => ({ nodes: cluster.nodes.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port })) });
const redisTimeoutMs = 2000; // long, for a machine that is busy
const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`); // on all three masters

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

it('limiters share their limits, and all limits of a take are decided together', async () => {
  const limits = ['3 per hour', '5 per day'];
  const both = [0, 1].map(() => createLimiter({ redis: redis(), redisTimeoutMs, limits }));
  const [one, other] = both as [Limiter, Limiter];
  try {
    await until('Redis', () => both.every(({ status }) => status.mechanism === 'redis'));
    await Promise.all(keys.map((key) => one.take(key, { cost: 2 })));
    const refused = await Promise.all(keys.map((key) => other.take(key, { cost: 2 })));
    expect(new Set(refused.map(({ allowed, mechanism }) => `${allowed} ${mechanism}`))).toEqual(
      new Set(['false redis']),
    );
    const left = await Promise.all(keys.map((key) => other.take(key)));
    expect(left.map(({ each }) => each?.map(({ remaining }) => remaining))).toEqual(keys.map(() => [0, 2]));
    expect(await one.reset('key-0')).toMatchObject({ allowed: true, remaining: 3, mechanism: 'redis' });
  } finally {
    await Promise.all(both.map((limiter) => limiter.close()));
  }
});

it('a limiter in the place of rate-limiter-flexible’s counts and blocks keys of all masters', async () => {
  const options = { storeClient: redis(), points: 2, duration: 3600, failopen: { redisTimeoutMs } };
  const [one, other] = [new RateLimiterRedis(options), new RateLimiterRedis(options)];
  try {
    await until('Redis', async () => (await one.get('begin')) === null && (await cluster.masters()).length === 3);
    await Promise.all(keys.map((key) => one.consume(key, 2)));
    const outcomes = await Promise.all(keys.map((key) => other.consume(key).catch((it: unknown) => it)));
    expect(outcomes.filter((it) => it instanceof RateLimiterRes)).toHaveLength(keys.length);
  } finally {
    one.close();
    other.close();
  }
});
