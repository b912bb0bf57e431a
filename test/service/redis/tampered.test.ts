import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf, readinessOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { ask, keyHeader } from '../../support/request-loop.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { startTamperingProxy, type TamperingProxy } from '../../support/tampering-proxy.ts';
import { until } from '../../support/until.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

const env = { KEY_HEADER: keyHeader, RATE_LIMIT: '1000000', RATE_LIMIT_BURST: '1000000', REDIS_TIMEOUT_MS: '200' };
const healthyAgainMsMax = 5000;

async function withService(
  extra: Readonly<Record<string, string>>,
  run: (service: ServiceProcess, proxy: TamperingProxy) => Promise<void>,
) {
  await using proxy = await startTamperingProxy(redis.port);
  await using service = await startService({ ...env, REDIS_ADDR: `127.0.0.1:${proxy.port}`, ...extra });
  await until('Redis', async () => (await readinessOf(service)).mechanism === 'redis');
  await ask(service.url, 'a'); // loads the script
  await run(service, proxy);
}

/** Asks every few milliseconds; who decided, and whether all got an answer. */
function startRequestLoop({ url }: ServiceProcess, everyMs: number) {
  const seen = { redis: 0, fallback: 0, unanswered: 0, lastFallbackAtMs: 0, latenciesMs: [] as number[] };
  let n = 0;
  const timer = setInterval(() => {
    ask(url, `k${n++ % 7}`).then(
      ({ mechanism, ms }) => {
        seen.latenciesMs.push(ms);
        if (mechanism !== 'redis' && mechanism !== 'fallback') seen.unanswered++;
        else seen[mechanism]++;
        if (mechanism === 'fallback') seen.lastFallbackAtMs = performance.now();
      },
      () => seen.unanswered++,
    );
  }, everyMs);
  return {
    seen,
    stop: () => clearInterval(timer),
  };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** After the tampering: how long somebody was still answered by the fallback, and how the breaker moved. */
async function aftermath(service: ServiceProcess, everyMs: number, tamper: () => void) {
  const load = startRequestLoop(service, everyMs);
  await sleep(300);
  const atMs = performance.now();
  tamper();
  await sleep(healthyAgainMsMax);
  const before = { ...load.seen };
  await sleep(1000);
  load.stop();
  await sleep(200);
  const after = load.seen;
  const { breaker } = await readinessOf(service);
  const figures = {
    fallbackMs: Math.max(0, Math.round(after.lastFallbackAtMs - atMs)),
    moves: breaker.transitions.length,
    unanswered: after.unanswered,
  };
  console.log(JSON.stringify(figures));
  return { fallbackAtTheEnd: after.fallback - before.fallback, unanswered: after.unanswered };
}

const well = { fallbackAtTheEnd: 0, unanswered: 0 };

describe('on a connection that lives', () => {
  const tampering: readonly (readonly [what: string, tamper: (proxy: TamperingProxy) => void])[] = [
    ['a reply too many', (proxy) => proxy.inject('*2\r\n:1\r\n:0\r\n')],
    ['a status too many', (proxy) => proxy.inject('+OK\r\n')],
    ['an error too many', (proxy) => proxy.inject('-ERR what\r\n')],
    ['two nulls too many', (proxy) => proxy.inject('$-1\r\n*-1\r\n')],
    ['a push message', (proxy) => proxy.inject('>3\r\n+message\r\n+a\r\n+b\r\n')],
    ['a reply too few', (proxy) => proxy.swallow()],
    ['a string that promises more than comes', (proxy) => proxy.inject('$5000\r\nabc\r\n')],
    ['garbage', (proxy) => proxy.inject(Buffer.from([0, 1, 2, 255, 13, 10]))],
  ];
  for (const everyMs of [5, 150]) {
    it.each(tampering)(
      `%s costs a moment on the fallback, with a request each ${everyMs} ms`,
      async (_what, tamper) => {
        await withService({}, async (service, proxy) => {
          expect(await aftermath(service, everyMs, () => tamper(proxy))).toEqual(well);
        });
      },
    );
  }

  it('a reply too few costs a moment also when instances are not counted in Redis', async () => {
    await withService({ INSTANCES: '1' }, async (service, proxy) => {
      expect(await aftermath(service, 5, () => proxy.swallow())).toEqual(well);
    });
  });
});

describe('a process', () => {
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
    await withService({}, async (service, proxy) => {
      proxy.inject(bytes);
      await sleep(100);
      proxy.greeting = bytes;
      proxy.inject(bytes);
      await sleep(400);
      expect(service.child.hasEnded()).toBe(false);
      proxy.greeting = undefined;
      await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
      const reasons = await metricsOf(service, 'rate_limit_store_errors_total');
      expect(Object.keys(reasons).length).toBeGreaterThan(0);
      expect(proxy.connections()).toBeLessThan(15);
    });
  });
});

describe('a reply without end', () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  it.each([
    ['a string of 100 MB', '$104857600\r\n'],
    ['a line', '+'],
    ['an array whose strings are a megabyte each', '*1000000\r\n$2000000000\r\n'],
  ])('costs neither memory nor time when it is %s', async (_what, beginning) => {
    await withService({}, async (service, proxy) => {
      const load = startRequestLoop(service, 5);
      await sleep(1000);
      const before = await peakMegabytes(service);
      proxy.inject(beginning);
      proxy.flood(megabyte, 100);
      await sleep(3000);
      load.stop();
      const grownMegabytes = (await peakMegabytes(service)) - before;
      const slowest = load.seen.latenciesMs.sort((one, other) => one - other);
      const p99Ms = slowest[Math.floor(slowest.length * 0.99)];
      console.log(JSON.stringify({ grownMegabytes, p99Ms, maxMs: slowest.at(-1), unanswered: load.seen.unanswered }));
      expect(grownMegabytes).toBeLessThan(40); // what 4,000 requests cost in any case
      expect(load.seen.unanswered).toBe(0);
      await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    });
  });
});

/** The most memory that the process ever had. */
async function peakMegabytes({ pid }: ServiceProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}
