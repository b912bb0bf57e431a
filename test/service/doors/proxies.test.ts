// Forward auth behind real proxies, by the recipes of the README, in front of an API of the test's own. A proxy that this
// machine does not have is left out by its name.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PoliciesService, startPoliciesService } from '../../support/policies-service.ts';
import { programOf, proxies, type RunningProxy, startProxy } from '../../support/proxies.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const key = '[address, header:x-proxy]';
const policies = `policies:
  - {name: login, match: {method: POST, path: /login}, key: ${key}, limits: [1 per day]}
  - {name: pay, match: {path: /pay}, key: ${key}, limits: [1000 per day], onStoreFailure: closed}
  - {name: token, match: {path: /token}, key: header:x-api-key, limits: [1 per day]}`;

/** Whether a limiter that is away lets requests through. */
const passesWithoutLimiter: Readonly<Record<string, boolean>> = {
  nginx: true,
  HAProxy: true,
  Caddy: true,
  Traefik: false,
};

const api = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
  response.statusCode = request.url === '/own' ? 403 : 200;
  request.resume().on('end', () => response.end(`the api: ${request.method} ${request.url}`));
});
const running = new Map<string, RunningProxy>();
let redis: RedisProcess;
let service: PoliciesService;
beforeAll(async () => {
  redis = await startRedis();
  service = await startPoliciesService(policies, { TRUST_PROXY: '1' }, redis.url);
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const between = {
    limiter: `127.0.0.1:${service.port}`,
    api: `127.0.0.1:${(api.address() as AddressInfo).port}`,
  };
  await Promise.all(
    proxies.map(async (proxy) => {
      const program = programOf(proxy);
      if (program) running.set(proxy.name, await startProxy(proxy, program, between));
    }),
  );
});
afterAll(async () => {
  await Promise.all([...running.values()].map((proxy) => proxy.stop()));
  api.close();
  await service.stop();
  await redis.stop();
});

/** Status, whether it says when to try again, and the body of an answer of the API. */
async function ask(name: string, method: string, path: string, headers: Record<string, string> = {}) {
  const { url } = running.get(name) as RunningProxy;
  const body = method === 'POST' ? 'x'.repeat(100_000) : null;
  const answer = await fetch(url + path, { method, headers: { 'x-proxy': name, ...headers }, body });
  const text = await answer.text();
  return [answer.status, answer.headers.has('retry-after'), text.startsWith('the api') ? text : ''];
}

const installed = proxies.filter((proxy) => programOf(proxy) !== undefined);
const missing = proxies.filter((proxy) => programOf(proxy) === undefined);

describe.each(installed.map(({ name }) => name))('behind %s', (name) => {
  it('a request is decided by its own method and path, and passes whole', async () => {
    expect([
      await ask(name, 'POST', '/login'),
      await ask(name, 'GET', '/login?a=1'),
      await ask(name, 'GET', '/own'),
    ]).toEqual([
      [200, false, 'the api: POST /login'],
      [200, false, 'the api: GET /login?a=1'],
      [403, false, 'the api: GET /own'],
    ]);
  });

  it('a refused client gets its 429, whatever it writes into the headers of the proxy', async () => {
    const forged = { 'x-forwarded-uri': '/', 'x-forwarded-method': 'GET', 'x-forwarded-for': '192.0.2.1' };
    expect([await ask(name, 'POST', '/login?x=1'), await ask(name, 'POST', '/login', forged)]).toEqual([
      [429, true, ''],
      [429, true, ''],
    ]);
  });

  it('a client gets a 400 without its key, and is known by the header that it sends', async () => {
    expect([await ask(name, 'GET', '/token'), await ask(name, 'GET', '/token', { 'x-api-key': name })]).toEqual([
      [400, false, ''],
      [200, false, 'the api: GET /token'],
    ]);
  });

  it('long headers that the proxy takes are no reason to refuse a request', async () => {
    const long = Object.fromEntries([1, 2, 3, 4].map((i) => [`x-${i}`, 'a'.repeat(4700)]));
    expect((await ask(name, 'GET', '/', long))[0]).toBe(name === 'HAProxy' ? 400 : 200); // it takes 15 KiB
  });

  it('no number of headers gets a request past its policy, or ends the proxy', async () => {
    expect((await ask(name, 'GET', '/token', { 'x-api-key': name }))[0]).toBe(429);
    for (let count = 80; count <= 110; count++) {
      const many = Array.from({ length: count }, (_, i) => [`x-${i}`, 'a'] as const);
      const [status] = await ask(name, 'GET', '/token', { 'x-api-key': name, ...Object.fromEntries(many) });
      expect([status, count]).toEqual([expect.toSatisfy((it) => it === 429 || it === 400), count]);
    }
    expect((await ask(name, 'GET', '/'))[0]).toBe(200);
  });
});

describe('without Redis', () => {
  beforeAll(async () => {
    expect(await ask(installed[0]?.name as string, 'GET', '/pay')).toEqual([200, false, 'the api: GET /pay']);
    await redis.kill();
    await until(
      'a refusal',
      async () => (await fetch(`${service.url}/pay`, { headers: { 'x-proxy': 'x' } })).status === 503,
    );
  });

  it.each(installed.map(({ name }) => name))('%s hands on what each policy says of that', async (name) => {
    expect([await ask(name, 'GET', '/pay'), await ask(name, 'GET', '/')]).toEqual([
      [503, true, ''],
      [200, false, 'the api: GET /'],
    ]);
  });
});

describe('without a limiter', () => {
  beforeAll(async () => {
    await service.child.kill();
  });

  it.each(installed.map(({ name }) => name))('%s does what the README says', async (name) => {
    const passes = passesWithoutLimiter[name];
    expect(await ask(name, 'POST', '/login')).toEqual([
      passes ? 200 : 500,
      false,
      passes ? 'the api: POST /login' : '',
    ]);
  });
});

describe.skipIf(missing.length === 0)('on this machine', () => {
  it.skip.each(missing.map(({ name }) => name))('%s is missing', () => {});
});
