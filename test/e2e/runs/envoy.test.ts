// A real Envoy, by the recipe of the service's README, in front of an API of the test's own: what it answers, and how long a
// request waits for its limit while Redis or the limiter goes away.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { envoyWith, filterCounts } from '../../support/envoy.ts';
import { programOf, type RunningProxy, startProxy } from '../../support/proxies.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type RlsService, startRlsService } from '../../support/rls-service.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../support/toxiproxy.ts';

const rules = `domain: edge
descriptors:
  - {key: remote_address, rate_limit: {unit: minute, requests_per_unit: 1000000}}
  - {key: api_key, rate_limit: {unit: day, requests_per_unit: 10}}
  - {key: api_key, value: tried, shadow_mode: true, rate_limit: {unit: day, requests_per_unit: 1}}
`;

const api = createServer((_request, response) => response.end('the api'));
const program = programOf(envoyWith({ adminPort: 1 }));
let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  api.close();
  await redis.stop();
});

interface Envoy extends RunningProxy {
  readonly adminPort: number;
}

async function startEnvoy({ grpcPort }: RlsService, timeout?: string): Promise<Envoy> {
  const adminPort = await freePort();
  const between = { limiter: `127.0.0.1:${grpcPort}`, api: apiAddress() };
  const options = timeout === undefined ? { adminPort } : { adminPort, timeout };
  return { ...(await startProxy(envoyWith(options), program as string, between)), adminPort };
}

const apiAddress = () => `127.0.0.1:${(api.address() as AddressInfo).port}`;

describe.skipIf(program === undefined)('a request through Envoy', () => {
  let service: RlsService;
  let envoy: Envoy;
  beforeAll(async () => {
    service = await startRlsService(rules, {}, redis.url);
    envoy = await startEnvoy(service, '20s'); // a busy machine is no limiter that is away
  });
  afterAll(async () => {
    await envoy.stop();
    await service.stop();
  });

  const ask = async (path: string, key: string) => {
    const answer = await fetch(envoy.url + path, { headers: { 'x-api-key': key } });
    const headers = ['x-envoy-ratelimited', 'x-ratelimit-limit', 'x-ratelimit-remaining'];
    return [answer.status, ...headers.map((name) => answer.headers.get(name)), await answer.text()];
  };
  const limits = '10, 1000000;w=60, 10;w=86400';

  it('is allowed and told what is left, and then refused', async () => {
    expect(await ask('/', 'a')).toEqual([200, null, limits, '9', 'the api']);
    for (let i = 0; i < 9; i++) await ask('/', 'a');
    expect(await ask('/', 'a')).toEqual([429, 'true', limits, '0', '']);
    expect(await ask('/', 'b')).toEqual([200, null, limits, '9', 'the api']);
  });

  it('costs what its route says', async () => {
    expect(await ask('/export', 'c')).toEqual([200, null, limits, '5', 'the api']);
    expect(await ask('/', 'c')).toEqual([200, null, limits, '4', 'the api']);
    expect(await ask('/export', 'c')).toEqual([429, 'true', limits, '4', '']);
    expect(await ask('/', 'c')).toEqual([200, null, limits, '3', 'the api']);
  });

  it('is never refused by a rule that is only tried out', async () => {
    for (let i = 0; i < 5; i++) expect((await ask('/', 'tried'))[0]).toBe(200);
  });
});

/** Time in which Envoy gives up on a limit, by the recipe. */
const timeoutMs = 20;
/** So many times what the API itself takes may be the machine's doing: Envoy is one program more that it can hold up. */
const noiseFactor = 2;
/** 99th percentile of the API's own answers, beyond which the machine is too busy to tell. */
const quietMsMax = 5;

describe.skipIf(program === undefined)('no request waits longer than 20 ms for its limit', () => {
  let toxiproxy: ToxiproxyProcess;
  let service: RlsService;
  let envoy: Envoy;
  beforeAll(async () => {
    toxiproxy = await startToxiproxy();
    const port = await toxiproxy.api.createProxy('redis', `127.0.0.1:${redis.port}`);
    service = await startRlsService(rules, { REDIS_URL: `redis://127.0.0.1:${port}` });
    envoy = await startEnvoy(service);
    for (let i = 0; i < 300; i++) await msOf(envoy.url); // the first ones find everything cold
  });
  afterAll(async () => {
    await envoy.stop();
    await service.stop();
    await toxiproxy[Symbol.asyncDispose]();
  });

  it('with Redis', (test) => waits(test, async () => {}));

  it('when Redis is dropped', async (test) => {
    await waits(test, () =>
      toxiproxy.api.addToxic('redis', {
        name: 'drop',
        type: 'timeout',
        stream: 'downstream',
        attributes: { timeout: 0 },
      }),
    );
    await toxiproxy.api.removeToxics('redis');
  });

  it('when Redis is killed', (test) => waits(test, async () => void (await redis.kill())));

  it('when the limiter is killed', async (test) => {
    await waits(test, async () => void (await service.child.kill()));
    expect((await filterCounts(envoy.adminPort)).failure_mode_allowed).toBeGreaterThan(100);
  });

  /** Breaks something while requests go through Envoy, each beside one to the API itself. */
  async function waits({ skip, task }: TestContext, breaks: () => Promise<void>): Promise<void> {
    const before = await filterCounts(envoy.adminPort);
    const through: number[] = [];
    const direct: number[] = [];
    let broken: Promise<void> | undefined;
    for (let i = 0; i < 400; i++) {
      if (i === 100) broken = breaks();
      const [ms, without] = await Promise.all([msOf(envoy.url), msOf(`http://${apiAddress()}`)]);
      through.push(ms);
      direct.push(without);
      await sleep(5);
    }
    await broken;
    const after = await filterCounts(envoy.adminPort);
    const givenUp = (after.error ?? 0) - (before.error ?? 0);
    const figures = `${figuresOf(through)} through Envoy, ${figuresOf(direct)} without it; Envoy had no answer ${givenUp} times`;
    process.stdout.write(`${task.name}: ${figures}\n`);
    if (quantile(through, 1) <= timeoutMs) return;
    const directMs = quantile(direct, 0.99);
    if (directMs <= quietMsMax && quantile(through, 0.99) > timeoutMs + noiseFactor * directMs) expect.fail(figures);
    skip(`unknown, since the machine is busy: ${figures}`);
  }
});

if (program === undefined) it.skip('on this machine Envoy is missing', () => {});

async function msOf(url: string): Promise<number> {
  const startMs = performance.now();
  const answer = await fetch(url);
  await answer.arrayBuffer();
  expect(answer.status).toBe(200);
  return performance.now() - startMs;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(q * sorted.length) - 1] as number;
}

function figuresOf(values: readonly number[]): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(1));
  return `${p50} ms (p99 ${p99}, most ${max})`;
}
