// Replies that Redis never gave, and what they cost: a moment on the fallback, and neither the process nor memory.
// Tests that mostly wait run beside each other.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { ask } from '../../support/request-loop.ts';
import type { ServiceProcess } from '../../support/service.ts';
import {
  expectRecovery,
  startCountedLoad,
  startTamperedService,
  type TamperedService,
  tampering,
} from '../../support/tampered-service.ts';
import { until } from '../../support/until.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

describe.concurrent('on a connection that lives, with a request each 150 ms,', () => {
  it.each(tampering)('%s costs a moment on the fallback', async (_what, tamper) => {
    await expectRecovery(redis, 150, tamper);
  });
});

describe('a process', () => {
  let tampered: TamperedService;
  beforeAll(async () => {
    tampered = await startTamperedService(redis);
  });
  afterAll(() => tampered[Symbol.asyncDispose]());

  /** How many calls to Redis have failed. */
  const failedCalls = async () => {
    const byReason = await metricsOf(tampered.service, 'rate_limit_store_errors_total');
    return Object.values(byReason).reduce((sum, count) => sum + count, 0);
  };

  it.each([
    [String.raw`>1\r\n_\r\n`, '>1\r\n_\r\n'],
    [String.raw`>0\r\n`, '>0\r\n'],
    [String.raw`>1\r\n+subscribe\r\n`, '>1\r\n+subscribe\r\n'],
    [String.raw`$-1\r\n`, '$-1\r\n'],
    [String.raw`*-1\r\n`, '*-1\r\n'],
    [String.raw`_\r\n`, '_\r\n'],
    [String.raw`*1\r\n$-1\r\n`, '*1\r\n$-1\r\n'],
    [String.raw`:1\r\n`, ':1\r\n'],
    [String.raw`*1000000000\r\n`, '*1000000000\r\n'],
    [String.raw`*99999999999999999999\r\n`, '*99999999999999999999\r\n'],
    ['10,000 arrays in each other', '*1\r\n'.repeat(10_000)],
    ['a line without end', `+${'x'.repeat(100_000)}`],
    [String.raw`$1000000000\r\n`, '$1000000000\r\n'],
    [String.raw`%1\r\n+a\r\n+b\r\n`, '%1\r\n+a\r\n+b\r\n'],
    [String.raw`\r\n\r\n`, '\r\n\r\n'],
    [String.raw`\u0000\u0001\u0002`, '\u0000\u0001\u0002'],
    [String.raw`\u0015\u0003\u0001\u0000\u0002\u0002\u0046`, '\u0015\u0003\u0001\u0000\u0002\u0002\u0046'], // a TLS alert
  ])('lives, and decides in Redis again, after %s', async (_what, bytes) => {
    const { service, proxy } = tampered;
    const [failedBefore, connectionsBefore] = [await failedCalls(), proxy.connections()];
    proxy.inject(bytes);
    await sleep(100);
    proxy.greeting = bytes;
    proxy.inject(bytes);
    // A call fails for each request that comes while no connection stands; without requests none need.
    for (let i = 0; i < 20; i++) await Promise.all([sleep(20), ask(service.url, 'a')]);
    expect(service.child.hasEnded()).toBe(false);
    proxy.greeting = undefined;
    await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    expect(await failedCalls()).toBeGreaterThan(failedBefore);
    expect(proxy.connections() - connectionsBefore).toBeLessThan(15);
  });
});

describe('a reply without end', () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  it.each([
    ['a string of 100 MB', '$104857600\r\n'],
    ['a line', '+'],
    ['an array whose strings are a megabyte each', '*1000000\r\n$2000000000\r\n'],
  ])('costs neither memory nor time when it is %s', async (_what, beginning) => {
    await using tampered = await startTamperedService(redis);
    const { service, proxy } = tampered;
    const load = startCountedLoad(service, 5);
    await sleep(1000);
    const before = await peakMegabytes(service);
    proxy.inject(beginning);
    proxy.flood(megabyte, 100);
    await sleep(3000);
    load.stop();
    const grownMegabytes = (await peakMegabytes(service)) - before;
    const slowest = load.seen.latenciesMs.sort((one, other) => one - other);
    const p99Ms = slowest[Math.floor(slowest.length * 0.99)];
    const figures = `p99 ${p99Ms} ms, slowest ${slowest.at(-1)} ms`;
    expect(grownMegabytes, figures).toBeLessThan(40); // what 4,000 requests cost in any case
    expect(load.seen.unanswered, figures).toBe(0);
    await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
  });
});

/** The most memory that the process ever had. */
async function peakMegabytes({ pid }: ServiceProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}
