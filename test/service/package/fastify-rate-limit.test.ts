import Fastify, { type FastifyRequest } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import rateLimit, { type FastifyRateLimitOptions } from '../../../service/package/fastify-rate-limit.ts';
import { redisOfFile } from '../../support/file-redis.ts';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const redis = redisOfFile();

const keyGenerator = ({ headers }: FastifyRequest) => String(headers['x-key']);

/** An application, once it decides by Redis; gives what it answers a GET. */
async function appWith(options: FastifyRateLimitOptions) {
  const app = Fastify();
  onTestFinished(() => app.close());
  const failopen = { redisTimeoutMs: 1000, instances: 1, ...options.failopen };
  await app.register(rateLimit, { timeWindow: 600_000, redis: redis.url, keyGenerator, ...options, failopen });
  app.get('/', async () => 'hello');
  app.get('/two', { config: { rateLimit: { max: 2, timeWindow: 600_000 } } }, async () => 'hello');
  const get = async (key: string, url = '/') => {
    const { statusCode, headers, payload } = await app.inject({ url, headers: { 'x-key': key } });
    const told = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'retry-after'];
    return { statusCode, told: told.map((name) => headers[name]), payload };
  };
  return { app, get };
}

let asked = 0;

/** Each time by a key of its own: another store's would say nothing of this one. */
function decides(get: (key: string) => Promise<unknown>, { admin } = redis) {
  const nobody = `nobody-${++asked}`;
  return until('Redis', async () => {
    await get(nobody);
    return (await admin.keys(`rl:fastify*${nobody}`)).length > 0;
  });
}

describe('a store for @fastify/rate-limit', () => {
  it('lets the limit through and refuses the next, with the headers of the plugin', async () => {
    const { get } = await appWith({ max: 2 });
    await decides(get);
    expect([await get('a'), await get('a'), await get('a')]).toMatchObject([
      { statusCode: 200, told: ['2', '1', '300', undefined] },
      { statusCode: 200, told: ['2', '0', '600', undefined] },
      { statusCode: 429, told: ['2', '0', '300', '300'], payload: expect.stringContaining('retry in 5 minutes') },
    ]);
  });

  it('counts together with other processes, a route with limits of its own apart, and by name space', async () => {
    const [one, other] = [await appWith({ max: 5 }), await appWith({ max: 5 })];
    const apart = await appWith({ max: 5, nameSpace: 'apart' });
    for (const { get } of [one, other, apart]) await decides(get);
    await one.get('a');
    expect((await other.get('a')).told[1]).toBe('3');
    expect((await other.get('a', '/two')).told.slice(0, 2)).toEqual(['2', '1']);
    expect((await apart.get('a')).told[1]).toBe('4');
  });

  it('has the limit that a function says, with no end to it, or nothing in it', async () => {
    const limits: Record<string, number> = { free: 1, paid: 3, own: Number.POSITIVE_INFINITY, none: 0 };
    const max = (_: FastifyRequest, key: string) => (key.startsWith('nobody') ? 5 : (limits[key] as number));
    const { get } = await appWith({ max });
    await decides(get);
    const statuses = async (key: string) => [await get(key), await get(key)].map(({ statusCode }) => statusCode);
    expect(await statuses('free')).toEqual([200, 429]);
    expect(await statuses('paid')).toEqual([200, 200]);
    expect(await statuses('own')).toEqual([200, 200]);
    expect(await statuses('none')).toEqual([429, 429]);
    expect(await get('unknown')).toMatchObject({ statusCode: 500, payload: expect.stringContaining('max is missing') });
  });

  it('answers 403 after as many refusals as the plugin is told', async () => {
    const { get } = await appWith({ max: 1, ban: 2 });
    await decides(get);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await get('a')).statusCode);
    expect(statuses).toEqual([200, 429, 429, 403, 403, 403]);
  });

  it('is looked at without a hit', async () => {
    const { app, get } = await appWith({ max: 3 });
    const look = app.createRateLimit();
    app.get('/look', { config: { rateLimit: false } }, (request) => look(request, { increment: false }));
    await decides(get);
    const remaining = async () => JSON.parse((await get('a', '/look')).payload).remaining;
    expect(await remaining()).toBe(3);
    await get('a');
    expect([await remaining(), await remaining()]).toEqual([2, 2]);
  });

  it('goes on by itself with its part of the limit while Redis is away', async () => {
    await using own = await startRedis();
    const { get } = await appWith({ max: 4, redis: own.url, failopen: { redisTimeoutMs: 20, fallbackMax: 2 } });
    await decides(get, own);
    await own.kill();
    expect([await get('a'), await get('a'), await get('a')].map(({ statusCode }) => statusCode)).toEqual([
      200, 200, 429,
    ]);
  });

  it.each<[FastifyRateLimitOptions, string]>([
    [{ continueExceeding: true }, 'continueExceeding is true; allowed: false'],
    [{ exponentialBackoff: true }, 'exponentialBackoff is true; allowed: false'],
    [{ redis: 'x' }, 'redis is a text'],
    [{ failopen: { fallbackMax: 0 } }, 'fallbackMax is 0'],
    [
      { failopen: { timeWindow: 5 } as object },
      'failopen.timeWindow is no option; allowed: instances, redisTimeoutMs, breakerFailures',
    ],
    [{ nameSpace: 5 as never }, 'nameSpace is 5; allowed: a text of up to 100 characters'],
    [{ failopen: 5 as never }, 'failopen is 5; allowed: an object'],
    [{ failopen: { redis: 'redis://x' } as object }, 'failopen.redis is no option; allowed: redis'],
    [{ failopen: { prefix: 'x' } as object }, 'failopen.prefix is no option; allowed: nameSpace'],
  ])('is refused with %j', async (options, message) => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await expect(app.register(rateLimit, { redis: redis.url, ...options })).rejects.toThrow(message);
  });

  it("is the plugin's own in memory without a Redis", async () => {
    const { get } = await appWith({ max: 1, redis: undefined });
    expect([(await get('a')).statusCode, (await get('a')).statusCode]).toEqual([200, 429]);
  });
});
