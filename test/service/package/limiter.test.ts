import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Gauge, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLimiter, type Limiter, type LimiterEvent, type LimiterOptions } from '../../../service/package/index.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

function limiterOf(options: LimiterOptions): Limiter {
  const limiter = createLimiter({ redisTimeoutMs: 2000, ...options }); // long, for a machine that is busy
  ends.push(() => limiter.close());
  return limiter;
}

describe('a limiter without Redis', () => {
  it('decides in memory', async () => {
    const limiter = limiterOf({ limits: '2 per hour' });
    const first = await limiter.take('alice');
    expect(first).toMatchObject({ allowed: true, limit: 2, remaining: 1, retryAfterMs: 0, mechanism: 'fallback' });
    expect(first.quota).toEqual({ name: 'default', capacity: 2, windowMs: 3_600_000 });
    await limiter.take('alice');
    const third = await limiter.take('alice');
    expect(third).toMatchObject({ allowed: false, remaining: 0 });
    expect(third.retryAfterMs).toBeGreaterThan(1_790_000);
    expect((await limiter.take('bob')).allowed).toBe(true);
    expect(limiter.status).toEqual({ mechanism: 'fallback', causes: [], instances: 1 });
  });

  it('gives tokens back: all of them, or what a take cost', async () => {
    const limiter = limiterOf({ limits: '5 per hour' });
    await limiter.take('alice', { cost: 4 });
    expect(await limiter.refund('alice', { cost: 2 })).toMatchObject({
      allowed: true,
      remaining: 3,
      mechanism: 'fallback',
    });
    expect((await limiter.take('alice', { cost: 3 })).allowed).toBe(true);
    expect((await limiter.look('alice')).allowed).toBe(false);
    expect((await limiter.reset('alice')).allowed).toBe(true);
    expect((await limiter.take('alice', { cost: 5 })).allowed).toBe(true);
  });

  it('counts in the registry of the application, where it has one, until it is closed', async () => {
    const metrics = new Registry();
    const countedBy = async () => (await metrics.metrics()).match(/^rate_limit_requests_total\{.*fallback.*$/gm);
    const series = (allowed: number, blocked: number) => [
      `rate_limit_requests_total{mechanism="fallback",status="allowed"} ${allowed}`,
      `rate_limit_requests_total{mechanism="fallback",status="blocked"} ${blocked}`,
    ];
    const one = limiterOf({ limits: '1 per hour', metrics });
    await one.take('alice');
    await one.take('alice');
    expect(await countedBy()).toEqual(series(1, 1));
    const other = limiterOf({ limits: '1 per hour', metrics });
    await other.take('alice');
    expect(await countedBy()).toEqual(series(2, 1));
    await one.close();
    expect(await countedBy()).toEqual(series(2, 1));
    await other.close();
    expect(await metrics.metrics()).toBe('\n');
    const third = limiterOf({ limits: '1 per hour', metrics });
    metrics.clear();
    const fourth = limiterOf({ limits: '1 per hour', metrics });
    await Promise.all([third.take('alice'), fourth.take('alice')]);
    expect(await countedBy()).toEqual(series(2, 0));
  });

  it('takes no metric of another program for its own', async () => {
    const metrics = new Registry();
    const name = 'rate_limit_fallback_keys';
    const others = new Gauge({ name, help: 'Of another.', registers: [metrics] });
    expect(() => createLimiter({ limits: '1 per hour', metrics })).toThrow(
      `createLimiter: metrics has a metric ${name}; allowed: a Registry of prom-client without a metric of that name`,
    );
    expect(metrics.getMetricsAsArray()).toEqual([others]);
  });

  it('has no outage of it, whatever a policy says of one', async () => {
    const limiter = limiterOf({ policies: { login: { limits: '1 per hour', onStoreFailure: 'closed' } } });
    expect((await limiter.take('alice')).allowed).toBe(true);
    expect(await limiter.take('alice')).toMatchObject({ allowed: false, mechanism: 'fallback' });
  });

  it('keeps the policies apart, and the limits that takes bring along', async () => {
    const limiter = limiterOf({ policies: { api: '2 per hour', login: ['1 per hour', '5 per day'] } });
    const allowed = async (options: Parameters<Limiter['take']>[1]) => (await limiter.take('alice', options)).allowed;
    expect([await allowed({ policy: 'login' }), await allowed({ policy: 'login' })]).toEqual([true, false]);
    expect(await allowed({ policy: 'api' })).toBe(true);
    const own = { limits: { capacity: 1, refillPerSecond: 0.001 } };
    expect([await allowed(own), await allowed(own), await allowed({ limits: '1 per hour' })]).toEqual([
      true,
      false,
      true,
    ]);
    expect([await allowed({ policy: 'api' }), await allowed({ policy: 'api' })]).toEqual([true, false]);
  });
});

describe('a limiter with Redis', () => {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await startRedis();
    ends.push(() => redis.stop());
  });

  it('shares its limits with the limiters of other processes', async () => {
    const events: LimiterEvent[] = [];
    const both = [0, 1].map(() =>
      limiterOf({ redis: redis.url, limits: '3 per hour', onEvent: (it) => events.push(it) }),
    );
    const [one, other] = both as [Limiter, Limiter];
    await until('Redis', () => both.every(({ status }) => status.mechanism === 'redis'));
    expect(await one.take('shared')).toMatchObject({ remaining: 2, mechanism: 'redis' });
    expect(await other.take('shared')).toMatchObject({ remaining: 1, mechanism: 'redis' });
    await until('the count', () => one.status.instances === 2);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['recovery', 'instances']));
    await one.reset('shared');
    expect(await other.take('shared')).toMatchObject({ remaining: 2 });
  });

  it('counts who has its prefix, and so its limits, and nobody else', async () => {
    const of = (prefix: string) => limiterOf({ redis: redis.url, prefix, limits: '3 per hour' });
    const [one, other, apart] = [of('shop/'), of('shop/'), of('blog/')];
    await until('both', () => one.status.instances === 2 && other.status.instances === 2);
    await new Promise((resolve) => setTimeout(resolve, 1200)); // each has said once more that it lives
    expect([one, other, apart].map(({ status }) => status.instances)).toEqual([2, 2, 1]);
    const kept = await Promise.all(['shop/', 'blog/'].map((it) => redis.admin.zcard(`rl:instances:${it}`)));
    expect(kept).toEqual([2, 1]);
  });

  it.each<[string, (url: URL) => LimiterOptions['redis']]>([
    ['a URL', (url) => url],
    ['host and port', ({ hostname: host, port }) => ({ host, port: Number(port) })],
    ['a client of ioredis', (url) => clientOf(url)],
    [
      'whatever sends a command',
      (url) => {
        const client = clientOf(url);
        return { sendCommand: (word, ...words) => client.call(word as string, words) };
      },
    ],
  ])('finds it by %s, with names of its own', async (how, redisOf) => {
    const limiter = limiterOf({ redis: redisOf(new URL(redis.url)), prefix: `${how}:`, limits: '3 per hour' });
    await until('Redis', () => limiter.status.mechanism === 'redis');
    expect(await limiter.take('alice')).toMatchObject({ remaining: 2, mechanism: 'redis' });
    expect(await redis.admin.exists(`rl:${how}:default/3600s/alice`)).toBe(1);
  });

  it('tells keys apart that have no UTF-8', async () => {
    const limiter = limiterOf({ redis: redis.url, limits: '1 per hour' });
    await until('Redis', () => limiter.status.mechanism === 'redis');
    const halves = ['\ud800', '\ud801', `${'x'.repeat(1000)}\ud800`, `${'x'.repeat(1000)}\ud801`];
    const taken = await Promise.all(halves.map((key) => limiter.take(key)));
    expect(taken.map(({ allowed, mechanism }) => [allowed, mechanism])).toEqual(halves.map(() => [true, 'redis']));
  });

  it('tells of no outage at its own end', async () => {
    const events: LimiterEvent[] = [];
    const limiter = limiterOf({ redis: redis.url, limits: '1 per hour', onEvent: (event) => events.push(event) });
    await until('Redis', () => limiter.status.mechanism === 'redis');
    events.length = 0;
    await limiter.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([events, limiter.status.causes]).toEqual([[], []]);
  });

  it('leaves alone a client of ioredis that it was given', async () => {
    const client = clientOf(new URL(redis.url));
    const limiter = createLimiter({ redis: client, limits: '3 per hour' });
    await limiter.close();
    expect(await client.ping()).toBe('PONG');
  });

  it('decides in memory when the application has closed the connection that it lends', async () => {
    const client = clientOf(new URL(redis.url));
    const events: LimiterEvent[] = [];
    const limiter = limiterOf({
      redis: { sendCommand: (word, ...words) => client.call(word as string, words) },
      limits: '3 per hour',
      onEvent: (event) => events.push(event),
    });
    await until('Redis', () => limiter.status.mechanism === 'redis');
    await client.quit();
    expect(await limiter.take('lent')).toMatchObject({ allowed: true, mechanism: 'fallback' });
    await until('the outage', async () => {
      await limiter.take('lent');
      return events.some(({ type }) => type === 'outage');
    });
    expect(limiter.status.causes).toEqual([expect.objectContaining({ message: 'Connection is closed.' })]);
  });

  function clientOf({ hostname, port }: URL): Redis {
    const client = new Redis({ host: hostname, port: Number(port) });
    ends.push(() => client.disconnect());
    return client;
  }
});

describe('a limiter whose Redis is not there', () => {
  it('is nothing that the process stays alive for, once it is closed', async () => {
    const program = `
      import { createLimiter } from '${new URL('../../../service/package/index.ts', import.meta.url)}';
      const limiter = createLimiter({ redis: 'redis://127.0.0.1:1', limits: '5 per minute' });
      await limiter.take('alice');
      await new Promise((resolve) => setTimeout(resolve, 1500)); // refused, and about to connect again
      await limiter.close();
      const closedMs = performance.now();
      process.on('exit', () => console.log(performance.now() - closedMs));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
    expect(Number(stdout)).toBeLessThan(1000); // ioredis's own wait is 2000
  });

  it('decides in memory at once, and says why', async () => {
    const events: LimiterEvent[] = [];
    const limiter = limiterOf({
      redis: 'redis://:secret@127.0.0.1:1',
      policies: { api: '1 per hour', login: { limits: '1 per hour', onStoreFailure: 'closed' } },
      onEvent: (event) => events.push(event),
    });
    expect(await limiter.take('alice', { policy: 'api' })).toMatchObject({ allowed: true, mechanism: 'fallback' });
    expect(await limiter.take('alice', { policy: 'login' })).toMatchObject({ allowed: false, mechanism: 'closed' });
    await until('the outage', () => events.some(({ type }) => type === 'outage'));
    expect(events[0]).toMatchObject({ type: 'outage', redis: '127.0.0.1:1', reason: 'refused' });
    expect(limiter.status).toMatchObject({ mechanism: 'fallback', causes: [{ reason: 'refused' }] });
    expect((await limiter.take('alice', { policy: 'api' })).allowed).toBe(false);
    expect(await limiter.reset('alice', { policy: 'api' })).toMatchObject({ allowed: true, mechanism: 'fallback' });
    expect((await limiter.take('alice', { policy: 'api' })).allowed).toBe(true);
  });

  it.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('is not disturbed by an application that %s at what it is told', async (_, onEvent) => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const limiter = limiterOf({ redis: 'redis://127.0.0.1:1', limits: '1 per hour', onEvent });
    expect((await warned).message).toBe('onEvent of a limiter has thrown: Error: no');
    expect((await limiter.take('alice')).allowed).toBe(true);
  });
});

describe('a take that cannot be', () => {
  const limiter = createLimiter({ policies: { api: '2 per hour', login: '1 per hour' } });
  const circular: { capacity: number; windowSeconds: number; self?: unknown } = { capacity: 1, windowSeconds: 1 };
  circular.self = circular;

  it.each<[unknown, unknown, string | RegExp]>([
    ['', { policy: 'api' }, 'take: key is ""; allowed: a text that is not empty'],
    [undefined, { policy: 'api' }, 'take: key is missing; allowed: a text that is not empty'],
    [Symbol('it'), { policy: 'api' }, 'take: key is a symbol; allowed: a text that is not empty'],
    ['alice', { policy: 'api', cost: 0 }, 'take: cost is 0; allowed: a whole number from 1 to 1000000000'],
    ['alice', { policy: 'api', cost: 1.5 }, 'take: cost is 1.5; allowed: a whole number from 1 to 1000000000'],
    ['alice', { policy: 'api', cost: '2' }, 'take: cost is "2"; allowed: a whole number from 1 to 1000000000'],
    ['alice', {}, 'take: policy is missing; allowed: one of api, login'],
    ['alice', { policy: 'toString' }, 'take: policy is "toString"; allowed: one of api, login'],
    ['alice', null, 'take: the options is null; allowed: an object with the fields cost, policy, limits'],
    ['alice', 'api', 'take: the options is "api"; allowed: an object'],
    ['alice', ['api'], 'take: the options is a list of 1; allowed: an object'],
    ['alice', new Map([['policy', 'api']]), 'take: the options is "[object Map]"; allowed: an object'],
    ['alice', { polcy: 'login' }, 'take: polcy is no field; allowed: cost, policy, limits'],
    ['alice', { limits: { capacity: 5n, windowSeconds: 1 } }, /^take: limits\[0\]/],
    ['alice', { limits: circular }, /^take: limits\[0\]/],
    ['alice', { policy: 'api', limits: '1 per day' }, 'take: policy and limits are both there; allowed: one of them'],
    ['alice', { limits: '1 per fortnight' }, /^take: limits\[0\] is "1 per fortnight"; allowed: COUNT per second/],
    ['alice', { limits: ['1 per day', '2 per day'] }, /^take: limits\[1\] has a window of 86400s as one before it/],
  ])('is rejected, and says why: %s %o', async (key, options, message) => {
    await expect(limiter.take(key as string, options as object)).rejects.toThrow(message);
  });

  it('is refused at a start by its cost, where its limits never allow that', async () => {
    expect(() => limiter.check({ policy: 'api', cost: 3 })).toThrow(
      'take: cost is 3; allowed: up to 2, the smallest capacity of its limits',
    );
    expect(() => limiter.check({ limits: ['9 per hour', '20 per day'], cost: 10 })).toThrow('allowed: up to 9');
    limiter.check({ policy: 'api', cost: 2 });
    const { allowed, retryAfterMs } = await limiter.take('alice', { policy: 'api', cost: 3 });
    expect([allowed, retryAfterMs]).toEqual([false, Number.POSITIVE_INFINITY]);
  });

  it('comes after the end', async () => {
    const closed = createLimiter({ limits: '1 per hour' });
    await Promise.all([closed.close(), closed.close()]);
    await closed.close();
    await expect(closed.take('alice')).rejects.toThrow('The limiter is closed; nothing can be taken any more.');
  });

  it('is no key that is long: a client may have written it', async () => {
    const [one, other] = ['1', '2'].map((end) => 'x'.repeat(100_000) + end) as [string, string];
    expect((await limiter.take(one, { policy: 'login' })).allowed).toBe(true);
    expect((await limiter.take(one, { policy: 'login' })).allowed).toBe(false);
    expect((await limiter.take(other, { policy: 'login' })).allowed).toBe(true);
  });
});
