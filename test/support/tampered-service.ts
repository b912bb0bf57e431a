// The service in front of a Redis whose replies somebody tampers with, and the load under which it has to stand that.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Noise, watchNoise } from './machine-noise.ts';
import { readinessOf } from './readiness.ts';
import type { RedisProcess } from './redis.ts';
import { ask, keyHeader } from './request-loop.ts';
import { type ServiceProcess, startService } from './service.ts';
import { startTamperingProxy, type TamperingProxy } from './tampering-proxy.ts';
import { until } from './until.ts';

const deadlineMs = 200;
const env = {
  KEY_HEADER: keyHeader,
  RATE_LIMIT: '1000000',
  RATE_LIMIT_BURST: '1000000',
  REDIS_TIMEOUT_MS: String(deadlineMs),
};
const healthyAgainMsMax = 5000;
const looksMax = 3;
/** How long the breaker is open after it: 1 s ± 20 %, and its probe. */
const breakerMsMax = 1500;

type Tamper = (proxy: TamperingProxy) => void;

/** What a connection outlives. */
export const tampering: readonly (readonly [what: string, tamper: Tamper])[] = [
  ['a reply too many', (proxy) => proxy.inject('*2\r\n:1\r\n:0\r\n')],
  ['a status too many', (proxy) => proxy.inject('+OK\r\n')],
  ['an error too many', (proxy) => proxy.inject('-ERR what\r\n')],
  ['two nulls too many', (proxy) => proxy.inject('$-1\r\n*-1\r\n')],
  ['a push message', (proxy) => proxy.inject('>3\r\n+message\r\n+a\r\n+b\r\n')],
  ['a reply too few', (proxy) => proxy.swallow()],
  ['a string that promises more than comes', (proxy) => proxy.inject('$5000\r\nabc\r\n')],
  ['garbage', (proxy) => proxy.inject(Buffer.from([0, 1, 2, 255, 13, 10]))],
];

export interface TamperedService extends AsyncDisposable {
  readonly service: ServiceProcess;
  readonly proxy: TamperingProxy;
}

/** Both are the caller's own, and decide in Redis; the Redis behind them may be anybody's. */
export async function startTamperedService(
  redis: RedisProcess,
  extra: Readonly<Record<string, string>> = {},
): Promise<TamperedService> {
  await using started = new AsyncDisposableStack();
  const proxy = started.use(await startTamperingProxy(redis.port));
  const service = started.use(await startService({ ...env, REDIS_ADDR: `127.0.0.1:${proxy.port}`, ...extra }));
  await until('Redis', async () => (await readinessOf(service)).mechanism === 'redis');
  await ask(service.url, 'a'); // loads the script
  const all = started.move();
  return { service, proxy, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Asks every few milliseconds; who decided, and whether all got an answer. */
export function startCountedLoad({ url }: ServiceProcess, everyMs: number) {
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
  return { seen, stop: () => clearInterval(timer) };
}

/**
 * After the tampering, with a request each `everyMs`: all are answered, and those of the second that begins 5 s later by
 * Redis. Throws when not. A second in which the machine stood still long enough to fail a call is no evidence: another
 * is looked at then, of three at most.
 */
export async function expectRecovery(
  redis: RedisProcess,
  everyMs: number,
  tamper: Tamper,
  extra: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using tampered = await startTamperedService(redis, extra);
  const { service, proxy } = tampered;
  const load = startCountedLoad(service, everyMs);
  await sleep(300);
  const atMs = performance.now();
  tamper(proxy);
  await sleep(healthyAgainMsMax - deadlineMs);
  let fallbackAtTheEnd = 0;
  for (let look = 1; look <= looksMax; look++) {
    const noise = watchNoise(); // also of the moment in which the first of these calls begin
    await sleep(deadlineMs);
    const before = load.seen.fallback;
    await sleep(1000);
    fallbackAtTheEnd = load.seen.fallback - before;
    const seen = noise();
    if (fallbackAtTheEnd === 0 || !couldFailCalls(seen)) break;
    console.log(`unknown: ${fallbackAtTheEnd} on the fallback while the machine stood still: ${JSON.stringify(seen)}`);
    await sleep(breakerMsMax);
  }
  load.stop();
  await sleep(deadlineMs);
  const { unanswered, lastFallbackAtMs } = load.seen;
  const { breaker } = await readinessOf(service);
  const fallbackMs = Math.max(0, Math.round(lastFallbackAtMs - atMs));
  const figures = `fallback until ${fallbackMs} ms after it, ${breaker.transitions.length} moves of the breaker`;
  expect({ fallbackAtTheEnd, unanswered }, figures).toEqual({ fallbackAtTheEnd: 0, unanswered: 0 });
}

/** Half of a call's deadline: the other half is the service's and Redis's own wait for a processor. */
function couldFailCalls({ stolenMs, longestGapMs }: Noise): boolean {
  return Math.max(stolenMs, longestGapMs) >= deadlineMs / 2;
}
