// Stall and release, for real: the service, a Toxiproxy that holds the link's data back and lets it go later, and a Redis
// that then runs scripts of which everybody has long been answered. What they took is counted in Redis itself.

import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ToxiproxyApi } from '../../../chaos/host/toxiproxy.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { startToxiproxy } from '../../support/toxiproxy.ts';
import { until } from '../../support/until.ts';

// A bucket that no test empties and no wait refills: a token comes back in 8.64 s, and each key is asked for more often.
const capacity = 10_000;
const windowSeconds = 86_400;
const tokenUs = (windowSeconds * 1_000_000) / capacity;
const keys = Array.from({ length: 10 }, (_, i) => `key-${i}`);

/** Long enough that noise of the machine is no timeout, and short against the stall. */
const timeoutMs = 400;
const link = 'store';

interface Answer {
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly status: number;
  readonly mechanism: string;
}

/** Asks every 2 ms, for one key after another, until stopped. */
function steadyLoad({ port }: ServiceProcess) {
  const agent = new Agent({ keepAlive: true });
  const answers: Answer[] = [];
  const failed: Error[] = [];
  let sent = 0;
  const ask = () => {
    const sentMs = Date.now();
    const headers = { 'x-key': keys[sent++ % keys.length] };
    const request = get({ port, host: '127.0.0.1', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => {
        const mechanism = String(response.headers['x-ratelimit-mechanism']);
        answers.push({ sentMs, receivedMs: Date.now(), status: response.statusCode ?? 0, mechanism });
      });
    });
    request.on('error', (error) => failed.push(error));
  };
  const timer = setInterval(ask, 2);
  return {
    answers,
    async stop() {
      clearInterval(timer);
      await until('the last answer', () => answers.length + failed.length === sent);
      agent.destroy();
      expect(failed).toEqual([]);
    },
  };
}

/** Tokens taken of all keys, from their buckets: each debt is a whole number of tokens, as nothing has come back yet. */
async function tokensTaken({ admin }: RedisProcess, startedMs: number): Promise<number> {
  const fullAtUs = await admin.mget(keys.map((key) => `rl:key:${key}`));
  return fullAtUs.reduce((sum, us) => sum + Math.floor((Number(us) - startedMs * 1000) / tokenUs), 0);
}

async function scriptsRun({ admin }: RedisProcess): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
}

interface Outcome {
  readonly taken: number;
  /** Answers of status 200 that Redis decided. */
  readonly byRedis: number;
  /** Those of the fallback to requests that were sent before the breaker opened. */
  readonly unanswered: number;
  /** Scripts that ran just after the release. */
  readonly released: number;
}

async function stallAndRelease(stream: 'upstream' | 'downstream', stallMs: number): Promise<Outcome> {
  await using redis = await startRedis();
  await using toxiproxy = await startToxiproxy();
  const port = await toxiproxy.api.createProxy(link, `127.0.0.1:${redis.port}`);
  await using service = await startService({
    REDIS_ADDR: `127.0.0.1:${port}`,
    REDIS_TIMEOUT_MS: String(timeoutMs),
    BREAKER_RESET_MS: '500',
    KEY_HEADER: 'x-key',
    RATE_LIMIT: String(capacity),
    RATE_LIMIT_BURST: String(capacity),
    RATE_LIMIT_WINDOW_SEC: String(windowSeconds),
    INSTANCES: '1',
  });
  await until('Redis', async () => (await readyz(service)).mechanism === 'redis');

  const startedMs = Date.now();
  const load = steadyLoad(service);
  await sleep(500);
  await stall(toxiproxy.api, stream);
  await sleep(stallMs);
  const before = await scriptsRun(redis);
  await toxiproxy.api.removeToxics(link);
  const released = await until('scripts that run late', async () => {
    const count = (await scriptsRun(redis)) - before;
    return (stream === 'downstream' || count >= 20) && count;
  });
  await until('Redis again', async () => (await readyz(service)).mechanism === 'redis');
  await sleep(300);
  await load.stop();

  const { breaker } = await readyz(service);
  const openedMs = breaker.transitions.find(({ to }) => to === 'open')?.atMs ?? Number.NaN;
  const ok = load.answers.filter(({ status }) => status === 200);
  expect(ok.length).toBe(load.answers.length);
  return {
    taken: await tokensTaken(redis, startedMs),
    byRedis: ok.filter(({ mechanism }) => mechanism === 'redis').length,
    unanswered: ok.filter(({ mechanism, sentMs }) => mechanism === 'fallback' && sentMs <= openedMs).length,
    released,
  };
}

function stall(api: ToxiproxyApi, stream: 'upstream' | 'downstream'): Promise<void> {
  return api.addToxic(link, { name: `held_${stream}`, type: 'bandwidth', stream, attributes: { rate: 0 } });
}

interface Readyz {
  readonly mechanism: string;
  readonly breaker: { readonly transitions: readonly { readonly atMs: number; readonly to: string }[] };
}

async function readyz({ url }: ServiceProcess): Promise<Readyz> {
  return (await (await fetch(`${url}/readyz`)).json()) as Readyz;
}

describe('after a stall of the link to Redis is released', () => {
  it.each([
    ['while the connection lasts', 1200],
    ['after the connection was given up', 3000],
  ])('not one token is taken for a request that the fallback answered: requests held %s', async (_, stallMs) => {
    const { taken, byRedis, unanswered, released } = await stallAndRelease('upstream', stallMs);
    expect(taken).toBe(byRedis);
    // There was something to be refused: scripts ran late whose callers the fallback had answered.
    expect(
      [unanswered, released].every((count) => count >= 20),
      `${unanswered} unheard, ${released} released`,
    ).toBe(true);
  });

  it('of answers held, only the takes are paid twice that Redis decided in time before the breaker opened', async () => {
    const { taken, byRedis, unanswered } = await stallAndRelease('downstream', 1200);
    expect(unanswered).toBeGreaterThanOrEqual(20);
    // Redis ran these scripts before their deadline; no deadline can call them back.
    expect(taken - byRedis).toBeGreaterThan(0);
    expect(taken - byRedis).toBeLessThanOrEqual(unanswered);
  });
});
