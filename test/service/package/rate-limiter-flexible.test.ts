import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type RateLimiterOptions,
  RateLimiterRedis,
  RateLimiterRes,
} from '../../../service/package/rate-limiter-flexible.ts';
import { redisOfFile } from '../../support/file-redis.ts';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const redis = redisOfFile();

const given = { points: 3, duration: 600, failopen: { redisTimeoutMs: 1000, instances: 1 } };

let made = 0;

/** A limiter of a process's own that decides by Redis already, as a key shows that is its own. */
async function limiterOf(options: Partial<RateLimiterOptions> = {}, { admin } = redis) {
  const limiter = new RateLimiterRedis({ storeClient: admin, ...given, ...options });
  onTestFinished(() => limiter.close());
  const key = `nobody-${++made}`;
  await until('Redis', async () => {
    await limiter.penalty(key);
    return limiter.points < 1 || (await admin.keys(`rl:rate-limiter-flexible/*${key}`)).length > 0;
  });
  return limiter;
}

/** How it ended: what is resolved, or what is rejected. */
const ended = (promise: Promise<unknown>) =>
  promise.then(
    (it) => ['resolved', it],
    (it) => ['rejected', it],
  );
const res = (...told: ConstructorParameters<typeof RateLimiterRes>) => new RateLimiterRes(...told);

describe('a limiter in the place of RateLimiterRedis', () => {
  it('resolves and rejects with what rate-limiter-flexible tells', async () => {
    const limiter = await limiterOf();
    expect(await ended(limiter.consume('a'))).toEqual(['resolved', res(2, 200_000, 1, true)]);
    const [how, second] = await ended(limiter.consume('a', '2'));
    expect([how, second]).toEqual(['resolved', res(0, expect.closeTo(600_000, -4) as never, 3)]);
    const [refused, why] = (await ended(limiter.consume('a'))) as [string, RateLimiterRes];
    expect([refused, why instanceof RateLimiterRes, why.consumedPoints, why.remainingPoints]).toEqual([
      'rejected',
      true,
      4,
      0,
    ]);
    expect(why.msBeforeNext).toBeGreaterThan(190_000);
    expect(JSON.parse(String(why))).toEqual(why.toJSON());
    expect(await ended(limiter.consume(5))).toMatchObject(['resolved', { isFirstInDuration: true }]);
  });

  it('refuses what never fits, and all where there are no points, with a time that a header can tell', async () => {
    expect(await ended((await limiterOf()).consume('a', 4))).toEqual(['rejected', res(3, 600_000, 4)]);
    expect(await ended((await limiterOf({ points: 0, keyPrefix: 'none' })).consume('a'))).toEqual([
      'rejected',
      res(0, 600_000, 1),
    ]);
  });

  it('gets, gives back, takes more, sets and deletes', async () => {
    const limiter = await limiterOf();
    const used = async () => (await limiter.get('a'))?.consumedPoints;
    expect(await limiter.get('a')).toBeNull();
    expect(await limiter.delete('a')).toBe(false);
    await limiter.consume('a', 2);
    await limiter.reward('a');
    expect(await used()).toBe(1);
    expect((await limiter.penalty('a', 5)).consumedPoints).toBe(3); // as many as there are
    await limiter.reward('a', 9);
    expect(await used()).toBeUndefined();
    await limiter.set('a', 2);
    expect(await used()).toBe(2);
    expect(await limiter.consume('a', 0)).toMatchObject({ consumedPoints: 2, remainingPoints: 1 });
    expect(await limiter.delete('a')).toBe(true);
    expect(await used()).toBeUndefined();
  });

  it('blocks a key in all processes, until the block is over or the key is deleted', async () => {
    const [one, other] = [await limiterOf(), await limiterOf()];
    await other.consume('a');
    await one.block('a', 30);
    expect(await ended(one.consume('a'))).toEqual(['rejected', res(0, expect.closeTo(30_000, -4) as never, 4)]);
    await until('the other one', async () => (await other.get('a'))?.consumedPoints === 4);
    expect((await ended(other.consume('a')))[0]).toBe('rejected');
    await one.delete('a');
    expect((await ended(one.consume('a')))[0]).toBe('resolved');
    await until('the other one', async () => (await other.get('a'))?.consumedPoints !== 4);
    expect((await ended(other.consume('a')))[0]).toBe('resolved');
    await one.block('b', 0.3);
    expect((await ended(one.consume('b')))[0]).toBe('rejected');
    await until('the end of the block', async () => (await ended(one.consume('b')))[0] === 'resolved');
  });

  it('blocks by itself whoever wants more than there is, and by a set beyond the points', async () => {
    const limiter = await limiterOf({ blockDuration: 900 });
    await limiter.consume('a', 3);
    expect(await ended(limiter.consume('a'))).toEqual(['rejected', res(0, 900_000, 4)]);
    await limiter.reward('a', 3);
    expect(await ended(limiter.consume('a'))).toMatchObject(['rejected', { consumedPoints: 4 }]);
    await limiter.set('b', 9, 40);
    expect(((await ended(limiter.consume('b'))) as [string, RateLimiterRes])[1].msBeforeNext).toBeGreaterThan(30_000);
  });

  it('spreads what it allows where it is told so', async () => {
    const limiter = await limiterOf({ points: 3, duration: 1, execEvenly: true, execEvenlyMinDelayMs: 1 });
    await limiter.consume('a');
    const sentMs = performance.now();
    await limiter.consume('a');
    expect(performance.now() - sentMs).toBeGreaterThan(150); // of 667 ms, a third
  });

  it('goes by the commands of a client of the package redis', async () => {
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    const sendCommand = ([command = '', ...args]: string[]) => client.call(command, ...args);
    const limiter = await limiterOf({
      storeClient: { isOpen: true, isReady: true, sendCommand },
      useRedisPackage: true,
    });
    expect(await limiter.consume('a')).toMatchObject({ consumedPoints: 1 });
    expect(limiter.parseKey(limiter.getKey('a'))).toBe('a');
  });

  it('goes on by itself while Redis is away, with what its insurance has, and never rejects with an error', async () => {
    await using own = await startRedis();
    const failopen = { redisTimeoutMs: 20, instances: 1 };
    const limiter = await limiterOf({ insuranceLimiter: { points: 2 }, failopen }, own);
    await own.kill();
    expect((await ended(limiter.consume('a')))[0]).toBe('resolved');
    expect((await ended(limiter.consume('a')))[0]).toBe('resolved');
    expect(await ended(limiter.consume('a'))).toEqual(['rejected', expect.any(RateLimiterRes)]);
    await limiter.reward('a');
    expect((await ended(limiter.consume('a')))[0]).toBe('resolved');
    for (const done of [limiter.penalty('a'), limiter.get('a'), limiter.set('b', 1), limiter.block('c', 60)])
      expect((await ended(done))[0]).toBe('resolved');
    expect((await ended(limiter.consume('c')))[0]).toBe('rejected');
    expect(await limiter.delete('c')).toBe(true);
    expect((await ended(limiter.consume('c')))[0]).toBe('resolved');
  });
});

describe('a limiter in the place of RateLimiterRedis is not made with', () => {
  it.each<[object, string]>([
    [{ duration: 0 }, 'duration is 0'],
    [
      { storeClient: { isOpen: true, sendCommand() {}, getSlotMaster() {} } },
      'storeClient is a cluster of the package redis; allowed: an object with nodes, a list of its addresses',
    ],
    [
      { storeClient: { isOpen: true, isReady: true, sendCommand() {}, getMasterNode() {} } },
      'storeClient is Sentinels of the package redis; allowed: an object with sentinels, a list of their addresses, and name',
    ],
    [{ points: 1.5 }, 'points is 1.5'],
    [{ inMemoryBlockOnConsumed: 2 }, 'inMemoryBlockOnConsumed is 2; allowed: from points on'],
    [{ points: undefined }, 'points is missing'],
    [{ storeClient: undefined }, 'storeClient is missing'],
    [{ storeClient: { host: 'x', port: 0 } }, 'redis.port is 0'],
    [{ blockDuration: -1 }, 'blockDuration is -1'],
    [{ customIncrTtlLuaScript: '' }, 'customIncrTtlLuaScript is no option'],
    [{ inMemoryBlockDuration: 5 }, 'inMemoryBlockDuration is no option; allowed: blockDuration'],
    [{ blockOnConsumed: 5 }, 'blockOnConsumed is no option'],
    [{ insuranceLimiter: { points: 0 } }, 'insuranceLimiter.points is 0; allowed: a number from 1'],
    [{ insuranceLimiter: 5 as never }, 'insuranceLimiter is 5; allowed: an object'],
    [{ failopen: 5 as never }, 'failopen is 5; allowed: an object'],
    [{ failopen: { points: 5 } as object }, 'failopen.points is no option; allowed: instances, redisTimeoutMs'],
    [{ failopen: null as never }, 'failopen is null; allowed: an object'],
    [{ failopen: { redis: 'redis://x' } as object }, 'failopen.redis is no option; allowed: storeClient'],
    [{ failopen: { prefix: 'x' } as object }, 'failopen.prefix is no option; allowed: keyPrefix'],
    [
      { failopen: { fallbackMax: 5 } as object },
      'failopen.fallbackMax is no option; allowed: the points of insuranceLimiter',
    ],
    [{ keyPrefix: 'x'.repeat(101) }, 'keyPrefix is "xxx'],
    [{ keyprefix: 'x' }, 'keyprefix is no option; allowed: storeClient, points'],
  ])('%j', (options, message) => {
    expect(() => new RateLimiterRedis({ storeClient: redis.admin, ...given, ...options })).toThrow(message);
  });

  it.each([undefined, null, 'redis://x'])('no options: %j', (options) => {
    expect(() => new RateLimiterRedis(options as never)).toThrow(
      `rate-limiter-flexible: the options is ${options === undefined ? 'missing' : JSON.stringify(options)}; allowed: an object`,
    );
  });

  it.each<[string, (limiter: RateLimiterRedis) => Promise<unknown>, string]>([
    ['no points', (it) => it.consume('a', null as never), 'points is null; allowed: a whole number from 0'],
    ['points that are a flag', (it) => it.penalty('a', true as never), 'points is true; allowed: a whole number'],
    ['options that are null', (it) => it.consume('a', 1, null as never), 'the options is null; allowed: an object'],
    ['options that are a number', (it) => it.reward('a', 1, 5 as never), 'the options is 5; allowed: an object'],
    ['parts of points', (it) => it.consume('a', 1.5), 'decimal number'],
    ['a text that is no number', (it) => it.consume('a', '2.0'), 'string different than integer'],
    ['fewer than none', (it) => it.reward('a', -1), 'points is -1'],
    ['a duration of its own', (it) => it.consume('a', 1, { customDuration: 5 }), 'customDuration is no option'],
    ['a block without end', (it) => it.block('a', 0), 'secDuration is 0'],
    ['a set of another duration', (it) => it.set('a', 1, 5), 'secDuration is 5'],
  ])('asked for %s: rejects with what is allowed', async (_, ask, message) => {
    const limiter = new RateLimiterRedis({ storeClient: redis.admin, ...given });
    onTestFinished(() => limiter.close());
    await expect(ask(limiter)).rejects.toThrow(message);
  });
});
