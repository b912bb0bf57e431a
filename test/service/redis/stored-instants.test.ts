// What Redis holds for a key may come from another clock, from another limit, or from somebody else. A Redis whose clock
// was set back by an hour holds the same as one in which somebody wrote instants an hour ahead.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Limit } from '../../../service/core/limit.ts';
import { type Decision, type Outcome, StoreError, type StoreErrorReason } from '../../../service/core/store.ts';
import { seriesOf } from '../../support/metrics-page.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ConnectedStore, connectStore } from '../../support/redis-store.ts';
import { keyHeader } from '../../support/request-loop.ts';
import { startService } from '../../support/service.ts';
import { limitOf, takesOf } from '../../support/takes.ts';
import { until } from '../../support/until.ts';

const connections: ConnectedStore[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});

/** Two tokens in 200 ms. */
const short = limitOf(2, 10);
/** Two tokens in 2,000 s. */
const long = limitOf(2, 0.001);

/** A store that is asked for tokens of one limit. */
interface LimitedStore {
  decideMany(requests: readonly Request[]): Promise<Outcome[]>;
}

interface Request {
  readonly key: string;
  readonly cost: number;
}

async function connected({ url }: RedisProcess, limit: Limit): Promise<LimitedStore> {
  const connection = connectStore(url, 10_000);
  connections.push(connection);
  await until('a connection', () => connection.store.ready);
  const take = takesOf(limit);
  return { decideMany: (requests) => connection.store.decideMany(requests.map(({ key, cost }) => take(key, cost))) };
}

const takeOf = async (store: LimitedStore, key: string) => (await store.decideMany([{ key, cost: 1 }]))[0] as Decision;

async function nowUsOf({ admin }: RedisProcess): Promise<number> {
  const [seconds, micros] = await admin.time();
  return Number(seconds) * 1_000_000 + Number(micros);
}

/** How many times Redis ran SET. */
async function setsRun({ admin }: RedisProcess): Promise<number> {
  return Number(/cmdstat_set:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
}

const hourUs = 3_600_000_000;
const denied = { allowed: false, limit: 2, remaining: 0, mechanism: 'redis', quota: short.shared.quota };

describe('a bucket from another clock or another limit', () => {
  it.each([
    ['30 s', 30_000_000, 'PX' as const],
    ['a day', 24 * hourUs, 'PX' as const],
    ['eighty years, for ever', 700_000 * hourUs, 'KEEPTTL' as const],
  ])('that is %s ahead denies for one window, says so, and then decides as any other', async (_, aheadUs, expiry) => {
    await using redis = await startRedis();
    const store = await connected(redis, short);
    const instant = String((await nowUsOf(redis)) + aheadUs);
    if (expiry === 'PX') await redis.admin.set('rl:a', instant, 'PX', Math.ceil(aheadUs / 1000));
    else await redis.admin.set('rl:a', instant);

    expect(await takeOf(store, 'a')).toEqual({ ...denied, retryAfterMs: 100, resetMs: 200 });
    await sleep(101);
    const { remaining, ...second } = await takeOf(store, 'a');
    expect(second).toEqual({
      ...denied,
      remaining: undefined,
      allowed: true,
      retryAfterMs: 0,
      resetMs: expect.closeTo(190, -2),
    });
    expect(remaining).toBeLessThanOrEqual(1);
    await until('the bucket to expire', async () => (await redis.admin.exists('rl:a')) === 0);
  });

  it('that was written under a window of 120 s is denied for 200 ms under one of 200 ms', async () => {
    await using redis = await startRedis();
    const before = await connected(redis, limitOf(2, 2 / 120));
    expect([(await takeOf(before, 'a')).allowed, (await takeOf(before, 'a')).allowed]).toEqual([true, true]);
    const after = await connected(redis, short);
    expect(await takeOf(after, 'a')).toEqual({ ...denied, retryAfterMs: 100, resetMs: 200 });
    await sleep(101);
    expect((await takeOf(after, 'a')).allowed).toBe(true);
  });

  it('keeps its debt under a smaller or a larger capacity, within the window of the present one', async () => {
    await using redis = await startRedis();
    await takeOf(await connected(redis, long), 'a'); // owes 1,000 s of a window of 2,000 s
    const decided = async (capacity: number, windowSec: number) => {
      const { allowed, remaining } = await takeOf(await connected(redis, limitOf(capacity, capacity / windowSec)), 'a');
      return [allowed, remaining];
    };
    expect(await decided(20, 2000)).toEqual([true, 9]);
    expect(await decided(1, 2000)).toEqual([false, 0]);
    expect(await decided(4, 4000)).toEqual([true, 1]);
  });

  it('is written as empty by the first denied take, and no more by the others', async () => {
    await using redis = await startRedis();
    const store = await connected(redis, long);
    const keys = ['a', 'b', 'c'];
    const instant = String((await nowUsOf(redis)) + hourUs);
    for (const key of keys) await redis.admin.set(`rl:${key}`, instant, 'PX', 3_600_000);
    const before = await setsRun(redis);
    const held = async () => ({
      values: await redis.admin.mget(keys.map((key) => `rl:${key}`)),
      expiries: await Promise.all(keys.map((key) => redis.admin.pexpiretime(`rl:${key}`))),
    });
    // First and again in one batch; the last costs more than the capacity.
    const [{ resetMs }] = (await store.decideMany(
      [...keys, ...keys].map((key) => ({ key: key, cost: key === 'c' ? 3 : 1 })),
    )) as [Decision];
    expect(resetMs).toBe(2_000_000);
    const first = await held();
    expect(first.values.every((value) => Number(value) < Number(instant) - hourUs + 2_010_000_000)).toBe(true);
    expect(first.expiries).toEqual(first.values.map((value) => Math.ceil(Number(value) / 1000)));

    for (let i = 0; i < 10; i++) await store.decideMany(keys.map((key) => ({ key, cost: 1 })));
    expect(await held()).toEqual(first);
    // A script that has not found a bucket yet tries to write where nothing is, twice.
    expect(await setsRun(redis)).toBe(before + keys.length + 2 * 11);
  });
});

describe('what no take ever writes', () => {
  const foreignTexts = [
    ...['', 'word', 'nan', 'inf', '-inf', '1e308', '1e15', '9223372036854775807', '0', '7', '-1', '-1795491041000000'],
    ...['1795491041000000.5', '01795491041000000', ' 1795491041000000', '1795491041000000\n', '0x660f5b5e5c5d5'],
  ];

  it('is told apart from buckets, key by key, and stays as it is', async () => {
    await using redis = await startRedis();
    const { admin } = redis;
    for (const [i, text] of foreignTexts.entries()) await admin.set(`rl:text ${i}`, text);
    await admin.rpush('rl:list', 'x');
    await admin.hset('rl:hash', 'tokens', '5');
    await admin.sadd('rl:set', 'x');
    await admin.zadd('rl:sorted set', 1, 'x');
    await admin.xadd('rl:stream', '*', 'x', 'y');
    const keys = [...foreignTexts.map((_, i) => `text ${i}`), 'list', 'hash', 'set', 'sorted set', 'stream'];
    const dumps = () => Promise.all(keys.map((key) => admin.dumpBuffer(`rl:${key}`)));
    const before = await dumps();

    const store = await connected(redis, long);
    const takes = keys.flatMap((key, i) => [
      { key, cost: 1 },
      { key: `own ${i}`, cost: 1 },
    ]);
    const outcomes = await store.decideMany(takes);
    const { quota } = long.shared;
    const own = { ...denied, quota, allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1_000_000 };
    const wrong = new StoreError('wrongtype', 'the key holds something that is not a bucket');
    expect(outcomes).toEqual(keys.flatMap(() => [wrong, own]));
    expect(await dumps()).toEqual(before);
  });

  it('is decided by the fallback, while Redis goes on deciding everything else', async () => {
    await using redis = await startRedis();
    for (const [i, text] of foreignTexts.entries()) await redis.admin.set(`rl:key:${i}`, text);
    await using service = await startService({
      REDIS_URL: redis.url,
      KEY_HEADER: keyHeader,
      RATE_LIMIT_WINDOW_SEC: '86400',
      REDIS_TIMEOUT_MS: '10000', // for the machine's sake
    });
    const answerTo = async (key: string) => {
      const { status, headers } = await fetch(service.url, { headers: { [keyHeader]: key } });
      return [status, headers.get('x-ratelimit-mechanism'), headers.get('x-ratelimit-remaining')];
    };
    let n = 0;
    await until('Redis', async () => (await answerTo(`waiting ${n++}`))[1] === 'redis');
    for (const i of foreignTexts.keys()) {
      expect([await answerTo(String(i)), await answerTo(`own ${i}`)]).toEqual([
        [200, 'fallback', '4'],
        [200, 'redis', '4'],
      ]);
    }
    const series = await seriesOf(service);
    expect([
      series.get('rate_limit_store_errors_total{reason="wrongtype"}'),
      series.get('rate_limit_breaker_state{state="closed"}'),
    ]).toEqual([foreignTexts.length, 1]);
  });

  it('is not what a user without the right to read finds', async () => {
    await using redis = await startRedis();
    const store = await connected(redis, long);
    await takeOf(store, 'a');
    await redis.admin.call('ACL', 'SETUSER', 'default', '-get');
    const reason: StoreErrorReason = await store.decideMany([{ key: 'a', cost: 1 }]).then(
      () => 'other',
      (error) => (error as StoreError).reason,
    );
    expect(reason).toBe('noperm');
  });
});
