import type { AddressInfo } from 'node:net';
import express from 'express';
import { type Options, rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisStore, type RedisStoreOptions } from '../../../service/package/express-rate-limit.ts';
import { redisOfFile } from '../../support/file-redis.ts';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const redis = redisOfFile();

/** A store of a process's own, in no application yet. */
function storeOf(options: Partial<RedisStoreOptions> = {}): RedisStore {
  const store = new RedisStore({ redis: redis.url, redisTimeoutMs: 1000, instances: 1, ...options });
  onTestFinished(() => store.shutdown());
  return store;
}

let made = 0;

/** A store that decides by Redis already, as a key shows that is its own, for a window that does not end within a test. */
async function readyStore(
  limit: number,
  options: Partial<RedisStoreOptions> = {},
  windowMs = 600_000,
  { admin, url } = redis,
) {
  const store = storeOf({ redis: url, ...options });
  store.init({ limit, windowMs } as Options);
  const key = `nobody-${++made}`;
  await until('Redis', async () => {
    await store.increment(key);
    return (await admin.exists(bucket(key, options.prefix, windowMs))) === 1;
  });
  return store;
}

const bucket = (key: string, prefix?: string, windowMs = 600_000) =>
  `rl:express-rate-limit/${prefix ? `${prefix}/` : ''}${windowMs / 1000}s/${key}`;

/** An application that answers 200, or what the path says; gives what it answers a GET. */
async function appWith(store: RedisStore, options: Partial<Options>) {
  const app = express();
  const limiter = rateLimit({
    windowMs: 600_000,
    keyGenerator: ({ query }) => String(query.key),
    logger: { error() {}, warn() {} },
    ...options,
    store,
  });
  app.get('/:status', limiter, (request, response) => void response.sendStatus(Number(request.params.status)));
  app.use(
    ((error, _request, response, _next) =>
      void response.status(500).send(error.message)) as express.ErrorRequestHandler,
  );
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const get = async (key: string, status = 200) => {
    const response = await fetch(`http://127.0.0.1:${port}/${status}?key=${key}`, { headers: { connection: 'close' } });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { get, limiter };
}

/** Seconds at the end, up to the next twenty: some pass while the requests do. */
const inTwenties = (text: string | null) =>
  text?.replace(/\d{3}$/, (seconds) => String(20 * Math.ceil(Number(seconds) / 20))) ?? null;

describe('a store for express-rate-limit', () => {
  it('lets the limit through and refuses the next, with the headers of the package', async () => {
    const { get } = await appWith(await readyStore(3), { limit: 3, standardHeaders: 'draft-8' });
    const answers = [await get('a'), await get('a'), await get('a'), await get('a')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    const headers = answers.map(({ headers }) =>
      ['x-ratelimit-limit', 'x-ratelimit-remaining', 'retry-after', 'ratelimit'].map((name) =>
        inTwenties(headers.get(name)),
      ),
    );
    expect(headers).toEqual([
      ['3', '2', null, '"3-in-10min"; r=2; t=200'],
      ['3', '1', null, '"3-in-10min"; r=1; t=400'],
      ['3', '0', null, '"3-in-10min"; r=0; t=600'],
      ['3', '0', '200', '"3-in-10min"; r=0; t=200'],
    ]);
    expect((await get('b')).status).toBe(200);
  });

  it('counts together with other processes, and apart from stores with another prefix', async () => {
    const [one, other] = [await readyStore(5), await readyStore(5)];
    const apart = await readyStore(5, { prefix: 'login' });
    await one.increment('a');
    expect((await other.increment('a')).totalHits).toBe(2);
    expect((await apart.increment('a')).totalHits).toBe(1);
    expect([one.localKeys, one.prefix, apart.prefix]).toEqual([false, '', 'login']);
  });

  it('takes a key that is no text as the packages do', async () => {
    const store = await readyStore(5);
    await store.increment(7 as never);
    await store.increment(undefined as never);
    expect([await store.get('7'), await store.get('undefined')].map((it) => it?.totalHits)).toEqual([1, 1]);
  });

  it('tells the hits of a key, takes one back, forgets them all', async () => {
    const { limiter } = await appWith(await readyStore(5), { limit: 5 });
    const store = await readyStore(5);
    const hits = async () => (await limiter.getKey('a'))?.totalHits;
    expect(await hits()).toBeUndefined();
    await store.increment('a');
    await store.increment('a');
    expect(await hits()).toBe(2);
    await store.decrement('a');
    expect(await hits()).toBe(1);
    await limiter.resetKey('a');
    await until('the reset', async () => (await hits()) === undefined);
    await store.decrement('a'); // never fewer than none
    expect((await store.increment('a')).totalHits).toBe(1);
  });

  it('refills evenly, and so allows the next hit before the window has passed', async () => {
    const store = await readyStore(2, {}, 3000);
    await store.increment('a');
    await store.increment('a');
    const denied = await store.increment('a');
    expect(denied.totalHits).toBe(3);
    const waitMs = (denied.resetTime?.getTime() as number) - Date.now();
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(1501);
    await new Promise((resolve) => setTimeout(resolve, waitMs - 100));
    await until('the next hit', async () => (await store.increment('a')).totalHits === 2);
  });

  it('counts failures alone where the package is told so', async () => {
    const { get } = await appWith(await readyStore(2), { limit: 2, skipSuccessfulRequests: true });
    for (let i = 0; i < 6; i++) expect((await get('a')).status).toBe(200);
    await get('a', 401);
    await until(
      'the hits that are taken back',
      async () => (await get('a')).headers.get('x-ratelimit-remaining') === '0',
    );
    await get('a', 401);
    await until('a refusal', async () => (await get('a')).status === 429);
  });

  it('refuses every hit of a limit under one, and asks nobody', async () => {
    const store = storeOf();
    store.init({ limit: 0, windowMs: 1000 } as Options);
    expect((await store.increment('a')).totalHits).toBe(1);
    await Promise.all([store.decrement('a'), store.resetKey('a')]);
    expect(await store.get('a')).toBeUndefined();
    expect(await redis.admin.keys('rl:express*')).toEqual([]);
  });

  it('goes by the connection of the application where it has only that', async () => {
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    const sendCommand = (command: string, ...args: string[]) => client.call(command, ...args);
    const store = await readyStore(5, { redis: undefined, sendCommand });
    expect((await store.increment('a')).totalHits).toBe(1);
    expect(await redis.admin.exists(bucket('a'))).toBe(1);
  });

  it('takes keys of any length and any kind', async () => {
    const store = await readyStore(5);
    for (const key of ['', 'ü\n{}', '::1', 'x'.repeat(100_000), '__proto__']) {
      expect([(await store.increment(key)).totalHits, (await store.increment(key)).totalHits]).toEqual([1, 2]);
    }
    const names = await redis.admin.keys('rl:express*');
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(400);
  });
});

describe('a store for express-rate-limit while Redis is away', () => {
  it('goes on by itself with its part of the limit, takes hits back and forgets them, and throws nothing', async () => {
    await using own = await startRedis();
    const store = await readyStore(4, { redisTimeoutMs: 20, fallbackMax: 2 }, 600_000, own);
    await own.kill();
    const hits = async () => (await store.increment('a')).totalHits;
    const sentMs = performance.now();
    expect([await hits(), await hits(), await hits()]).toEqual([3, 4, 5]); // of 4, it has 2
    await store.decrement('a');
    expect([await hits(), await hits()]).toEqual([4, 5]);
    expect((await store.get('a'))?.totalHits).toBe(4);
    await store.resetKey('a');
    expect(await hits()).toBe(3);
    expect(performance.now() - sentMs).toBeLessThan(2000);
  });
});

describe('a store for express-rate-limit is not made', () => {
  it.each<[string, () => unknown, string]>([
    ['without a Redis', () => new RedisStore({}), 'redis is missing'],
    [
      'with a cluster that only sends',
      () => new RedisStore({ sendCommandCluster() {} } as never),
      'sendCommandCluster is no option',
    ],
    [
      'with nothing',
      () => new RedisStore(undefined as never),
      'express-rate-limit: the options is missing; allowed: an object',
    ],
    ['with a text', () => new RedisStore('redis://x' as never), 'the options is "redis://x"; allowed: an object'],
    ['with null', () => new RedisStore(null as never), 'the options is null; allowed: an object'],
    [
      'with a connection that sends nothing',
      () => new RedisStore({ sendCommand: 'x' as never }),
      'sendCommand is "x"; allowed: a function',
    ],
    [
      'with no connection',
      () => new RedisStore({ sendCommand: null as never }),
      'sendCommand is null; allowed: a function',
    ],
    ['with two', () => new RedisStore({ redis: 'redis://x', sendCommand: async () => 0 }), 'both there'],
    ['with a URL that is none', () => new RedisStore({ redis: 'x' }), 'redis is a text'],
    [
      'with an option that is none',
      () => new RedisStore({ redis: 'redis://x', expiry: 5 } as never),
      'expiry is no field',
    ],
    [
      'with an option of another store',
      () => new RedisStore({ redis: 'redis://x', resetExpiryOnChange: true } as object),
      'express-rate-limit: resetExpiryOnChange is no field; allowed: redis, prefix, instances,',
    ],
    [
      'with limits, which are the package’s to say',
      () => new RedisStore({ redis: 'redis://x', limits: '1 per hour' } as object),
      'express-rate-limit: limits is no field; allowed: redis, prefix, instances,',
    ],
    ['with a part of no hit', () => new RedisStore({ redis: 'redis://x', fallbackMax: 0 }), 'fallbackMax is 0'],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(TypeError);
  });

  it.each<[string, Partial<Options>, string]>([
    ['a limit that is a function', { limit: () => 5 }, 'limit is a function'],
    ['no number', { limit: Number.NaN }, 'limit is NaN'],
    ['a limit without end', { limit: Number.POSITIVE_INFINITY }, 'limit is Infinity'],
    ['a text', { limit: '5' as never }, 'limit is "5"'],
    ['no window', { limit: 5, windowMs: 0 }, 'windowMs is 0'],
    ['a window of ten years', { limit: 5, windowMs: 3.2e11 }, 'windowMs is 320000000000'],
  ])('for %s: each request is answered with the mistake', async (_, options, message) => {
    const { get } = await appWith(storeOf(), { validate: false, ...options });
    expect(await get('a')).toMatchObject({ status: 500, text: expect.stringContaining(message) });
  });

  it('for no rateLimit(), or for a second one with another limit', async () => {
    const store = storeOf();
    await expect(store.increment('a')).rejects.toThrow('in no rateLimit() yet');
    store.init({ limit: 5, windowMs: 1000 } as Options);
    store.init({ limit: 5, windowMs: 1000 } as Options);
    expect(() => store.init({ limit: 6, windowMs: 1000 } as Options)).toThrow('a store for each rateLimit()');
  });
});

describe('several stores of a process', () => {
  it('are one of those who share the limit', async () => {
    for (const prefix of ['a', 'b', 'a']) await readyStore(6, { prefix, instances: undefined });
    await new Promise((resolve) => setTimeout(resolve, 1200)); // each has said that it lives
    const counts = ['a', 'b'].map((it) => redis.admin.zcard(`rl:instances:express-rate-limit/${it}`));
    expect(await Promise.all(counts)).toEqual([1, 1]);
  });
});
