// What the JSON API does with buckets besides takes, on running services with a real Redis.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriesOf } from '../../support/metrics-page.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const file = `
policies:
  - {name: search, match: {path: /search}, key: [header:x-api-key, address], limits: [3 per hour, 5 per day]}
  - {name: job, key: given, limits: [10 per day], cost: 4}
  - {name: login, match: {path: /login}, key: address, limits: [2 per day], onStoreFailure: closed}
`;
const secret = 'sixteen bytes of it';
const common = {
  REDIS_TIMEOUT_MS: '10000', // for the machine's sake
  API_TOKEN: 'api-token',
  ADMIN_TOKEN: 'admin-token',
};

let dir: string;
let redis: RedisProcess;
let service: ServiceProcess;
/** Of two workers and with keys that are hashed. */
let hashing: ServiceProcess;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'failopen-buckets-'));
  await writeFile(join(dir, 'policies.yaml'), file);
  redis = await startRedis();
  [service, hashing] = await Promise.all([
    startService({ ...common, REDIS_URL: redis.url, POLICIES_FILE: join(dir, 'policies.yaml') }),
    startService({
      ...common,
      REDIS_URL: redis.url,
      KEY_HEADER: 'x-key',
      RATE_LIMIT_WINDOW_SEC: '86400',
      WORKERS: '2',
      HASH_KEYS: secret,
    }),
  ]);
  await until('Redis', async () =>
    (await Promise.all([service, hashing].map(mechanismOf))).every((mechanism) => mechanism === 'redis'),
  );
  await until('two workers', async () => (await seriesOf(hashing)).get('rate_limit_workers') === 2);
});
afterAll(async () => {
  await Promise.all([service.stop(), hashing.stop()]);
  await redis.stop();
  await rm(dir, { recursive: true });
});

const mechanismOf = async ({ url }: ServiceProcess) => (await (await fetch(`${url}/readyz`)).json()).mechanism;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the answer is
  readonly body: any;
}

async function ask(method: string, path: string, body?: unknown, token = 'admin-token', of = service): Promise<Answer> {
  const answer = await fetch(of.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

const check = async (body: unknown, of = service) => (await ask('POST', '/v1/check', body, 'api-token', of)).body;
const look = async (path: string, of = service) =>
  (await ask('GET', `/v1/buckets/${path}`, undefined, 'api-token', of)).body;
const refund = async (body: unknown) => (await ask('POST', '/v1/refund', body)).body;
const left = ({ limits, mechanism }: { limits: { remaining: number }[]; mechanism: string }) => [
  mechanism,
  ...limits.map(({ remaining }) => remaining),
];

describe('GET /v1/buckets', () => {
  it('shows the bucket of each limit, and takes nothing', async () => {
    await check({ key: 'alice', policy: 'search', cost: 2 });
    for (let i = 0; i < 2; i++) {
      const { limits, ...rest } = await look('search/alice');
      expect(rest).toEqual({ policy: 'search', mechanism: 'redis' });
      expect(limits).toEqual([
        { name: 'search-3600s', capacity: 3, windowMs: 3_600_000, remaining: 1, resetMs: expect.any(Number) },
        { name: 'search-86400s', capacity: 5, windowMs: 86_400_000, remaining: 3, resetMs: expect.any(Number) },
      ]);
      expect(limits[0].resetMs).toBeGreaterThan(2_390_000);
    }
    expect(left(await look('search/nobody'))).toEqual(['redis', 3, 5]);
  });

  it('shows the bucket of a request by the key that is in its name, and never the one of a given key', async () => {
    await fetch(`${service.url}/search`, { headers: { 'x-api-key': 'a|b%' } });
    const key = encodeURIComponent('header:x-api-key=a%7Cb%25|address=127.0.0.1');
    expect(left(await look(`search/${key}?form=named`))).toEqual(['redis', 2, 4]);
    expect(left(await look(`search/${key}`))).toEqual(['redis', 3, 5]);
  });

  it('knows the value of a header beyond ASCII whichever way it is told', async () => {
    const taking = 'GET /search HTTP/1.1\r\nHost: x\r\nX-Api-Key: \xc3\xa9\r\n\r\n'; // bytes of UTF-8
    for (let i = 0; i < 4; i++) await sendRaw(Number(new URL(service.url).port), taking);
    const request = { method: 'GET', path: '/search', headers: { 'X-Api-Key': 'é' }, address: '127.0.0.1' };
    const key = 'header:x-api-key=é|address=127.0.0.1';
    expect((await ask('POST', '/v1/explain', request)).body).toMatchObject({ status: 429, matches: [{ key }] });
    expect((await ask('GET', '/v1/top')).body.keys).toContainEqual(expect.objectContaining({ policy: 'search', key }));
    expect(left(await look(`search/${encodeURIComponent(key)}?form=named`))).toEqual(['redis', 0, 2]);
  });

  it.each([
    'a/b',
    '.',
    '?',
    '#',
    '%',
    '%2F',
    ' ',
    '😀',
    'ä',
    '\0',
    '{x}',
    'x'.repeat(512),
    'é'.repeat(256),
    '__proto__',
  ])('finds the key %j', async (key) => {
    await check({ key, policy: 'job', cost: 7 });
    const path = `/v1/buckets/job/${encodeURIComponent(key).replaceAll('.', '%2E')}`;
    // Not by fetch, which follows dots.
    const body = await new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(service.url);
      get({ hostname, port, path, headers: { authorization: 'Bearer api-token' } }, (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    expect(left(JSON.parse(body))).toEqual(['redis', 3]);
  });

  it.each([
    ['/v1/buckets/none/a', 404, 'policy is "none"; allowed: search, job, login.'],
    ['/v1/buckets/__proto__/a', 404, 'policy is "__proto__"; allowed: search, job, login.'],
    [`/v1/buckets/job/${'x'.repeat(513)}`, 413, 'key has 513 bytes; allowed: a string of 1 to 512 bytes in UTF-8.'],
    [
      `/v1/buckets/job/${'%C3%A9'.repeat(257)}`,
      413,
      'key has 514 bytes; allowed: a string of 1 to 512 bytes in UTF-8.',
    ],
    ['/v1/buckets/job/%FF', 400, 'key is "%FF"; allowed: percent-encoded UTF-8.'],
    ['/v1/buckets/job/a?form=other', 400, 'form is "other"; allowed: given or named.'],
    ['/v1/buckets/job/a?form=named&form=named', 400, 'form is a list of 2; allowed: given or named.'],
    ['/v1/buckets/job/a?x=1', 400, 'x is no field; allowed: form.'],
  ])('refuses %s', async (path, status, detail) => {
    expect(await ask('GET', path)).toMatchObject({ status, body: { status, detail } });
  });
});

describe('DELETE /v1/buckets', () => {
  it('has the key allowed at once, by every limit, and no other key', async () => {
    for (const key of ['bob', 'carol']) await check({ key, policy: 'search', cost: 3 });
    expect((await check({ key: 'bob', policy: 'search' })).allowed).toBe(false);
    expect(await ask('DELETE', '/v1/buckets/search/bob')).toMatchObject({ status: 200, body: { policy: 'search' } });
    expect(await check({ key: 'bob', policy: 'search', cost: 3 })).toMatchObject({ allowed: true, mechanism: 'redis' });
    expect(left(await look('search/carol'))).toEqual(['redis', 0, 2]);
  });

  it('needs the admin token', async () => {
    const statuses = async (token: string) => [
      (await ask('DELETE', '/v1/buckets/job/a', undefined, token)).status,
      (await ask('POST', '/v1/refund', { key: 'a', policy: 'job', id: '1' }, token)).status,
      (await ask('GET', '/v1/top', undefined, token)).status,
    ];
    expect([await statuses('api-token'), await statuses('admin-token')]).toEqual([
      [401, 401, 401],
      [200, 200, 200],
    ]);
  });

  it('refuses a name that holds something else, and leaves it', async () => {
    await redis.admin.set('rl:job/86400s/given=foreign', 'x');
    const [reset, refunded] = [
      await ask('DELETE', '/v1/buckets/job/foreign'),
      await ask('POST', '/v1/refund', { key: 'foreign', policy: 'job', id: 'x' }),
    ];
    expect([reset, refunded]).toMatchObject([{ status: 409 }, { status: 409 }]);
    expect(await redis.admin.get('rl:job/86400s/given=foreign')).toBe('x');
    expect((await look('job/foreign')).mechanism).toBe('fallback');
  });
});

describe('POST /v1/refund', () => {
  it("gives back the policy's cost, once for each id and key, and never more than fills", async () => {
    const body = { key: 'dave', policy: 'job', id: 'order 7' };
    for (let i = 0; i < 2; i++) await check({ key: 'dave', policy: 'job' });
    const both = await Promise.all([refund(body), refund(body)]);
    expect(both.map(({ refunded }) => refunded).sort()).toEqual([false, true]);
    expect(left(await look('job/dave'))).toEqual(['redis', 6]);
    expect(await refund({ ...body, id: 'order 8', cost: 10 })).toMatchObject({
      policy: 'job',
      mechanism: 'redis',
      refunded: true,
      limits: [{ name: 'job', capacity: 10, remaining: 10, resetMs: 0 }],
    });
    expect((await refund({ ...body, key: 'erin' })).refunded).toBe(true);
    expect((await check({ key: 'dave', policy: 'job', cost: 10 })).allowed).toBe(true);
    expect(await refund({ ...body, cost: 10 })).toMatchObject({ refunded: false, limits: [{ remaining: 0 }] });
  });

  it('is in force at once where this instance repeated the denial', async () => {
    await check({ key: 'frank', policy: 'job', cost: 9 });
    expect((await check({ key: 'frank', policy: 'job' })).allowed).toBe(false);
    await refund({ key: 'frank', policy: 'job', cost: 3, id: 'a' });
    expect(await check({ key: 'frank', policy: 'job' })).toMatchObject({ allowed: true, remaining: 0 });
  });

  it.each([
    [{ id: undefined }, 'id is missing; allowed: a string of 1 to 128 bytes in UTF-8'],
    [{ id: '' }, 'id is ""; allowed: a string of 1 to 128 bytes in UTF-8'],
    [{ id: 7 }, 'id is 7; allowed: a string of 1 to 128 bytes in UTF-8'],
    [{ id: 'é'.repeat(65) }, `id is "${'é'.repeat(59)}…; allowed: a string of 1 to 128 bytes in UTF-8`],
    [{ id: '\ud800' }, 'id is "\\ud800"; allowed: a string of 1 to 128 bytes in UTF-8'],
    [{ cost: 0 }, 'cost is 0; allowed: a whole number, 1 or more'],
    [{ cost: 11 }, 'cost is 11; allowed: up to 10, the smallest capacity of job'],
    [{ policy: 'none' }, 'policy is "none"; allowed: search, job, login'],
    [{ key: 'x'.repeat(513) }, 'key has 513 bytes; allowed: a string of 1 to 512 bytes in UTF-8'],
    [{ other: 1 }, 'other is no field; allowed: key, policy, cost, id, form'],
  ])('refuses %j', async (wrong, detail) => {
    const { body, status } = await ask('POST', '/v1/refund', { key: 'a', policy: 'job', cost: 1, id: 'x', ...wrong });
    expect([status, body.detail]).toEqual(['key' in wrong ? 413 : 400, `${detail}.`]);
  });
});

describe('GET /v1/top', () => {
  it('tells whose requests are refused most, by policy', async () => {
    for (let i = 0; i < 7; i++) await check({ key: 'greedy', policy: 'job', cost: 6 });
    const { keys } = (await ask('GET', '/v1/top')).body;
    expect(keys[0]).toEqual({ policy: 'job', key: 'given=greedy', refused: 6, errorAtMost: 0 });
  });
});

describe('two workers with keys that are hashed', () => {
  const askKey = (key: string) => fetch(hashing.url, { headers: { 'x-key': key, connection: 'close' } });
  const statusesOf = async (key: string, count: number) => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i++) statuses.push((await askKey(key)).status);
    return statuses;
  };
  const admitted = (statuses: number[]) => statuses.filter((status) => status === 200).length;

  it('forget both what they remember of a key that is reset, and tell the refusals of both', async () => {
    expect(admitted(await statusesOf('alice-secret', 15))).toBe(5);
    for (let n = 1; n <= 3; n++) {
      const path = '/v1/buckets/default/key%3Aalice-secret?form=named';
      expect(left(await look(path.slice('/v1/buckets/'.length), hashing))).toEqual(['redis', 0]);
      expect((await ask('DELETE', path, undefined, 'admin-token', hashing)).status).toBe(200);
      expect(admitted(await statusesOf('alice-secret', 4))).toBe(4);
      expect(admitted(await statusesOf('alice-secret', 6))).toBe(1);
    }
    const { keys } = (await ask('GET', '/v1/top', undefined, 'admin-token', hashing)).body;
    expect(keys).toEqual([
      { policy: 'default', key: expect.stringMatching(/^key:[\w-]{43}$/), refused: 10 + 3 * 5, errorAtMost: 0 },
    ]);
    expect(await redis.admin.exists(`rl:${keys[0].key}`)).toBe(1);
  });

  it('leave a key readable neither in Redis nor in their log', async () => {
    await check({ key: 'given-secret', cost: 3 }, hashing);
    await ask('POST', '/v1/refund', { key: 'given-secret', id: 'id-secret' }, 'admin-token', hashing);
    const names = await redis.admin.keys('*');
    expect(names.filter((name) => /secret|rl:address:127/.test(name))).toEqual([]);
    expect(names.some((name) => /^rl:given=[\w-]{43}$/.test(name))).toBe(true);
    expect(hashing.output()).not.toMatch(new RegExp(`-secret|${secret}`));
  });
});

// The last: there is no Redis after it.
describe('without Redis', () => {
  it('looks at the fallback, and refuses what would change a bucket, here as well', async () => {
    await check({ key: 'henry', policy: 'search', cost: 3 });
    await redis.kill();
    await until(
      'the fallback',
      async () => (await check({ key: 'any', policy: 'job', cost: 1 })).mechanism === 'fallback',
    );
    await check({ key: 'ida', policy: 'job', cost: 7 });
    expect(left(await look('job/ida'))).toEqual(['fallback', 3]);
    expect(left(await look('search/henry'))).toEqual(['fallback', 0, 2]);
    expect(await look('login/a')).toEqual({
      policy: 'login',
      mechanism: 'closed',
      limits: [{ name: 'login', capacity: 2, windowMs: 86_400_000 }],
    });
    const [reset, refunded] = [
      await ask('DELETE', '/v1/buckets/job/ida'),
      await ask('POST', '/v1/refund', { key: 'ida', policy: 'job', id: 'x' }),
    ];
    expect([reset, refunded]).toMatchObject([{ status: 503 }, { status: 503 }]);
    expect(reset.body.detail).toMatch(/^Redis did not say that it is done \((disconnected|refused)\)/);
    expect(left(await look('job/ida'))).toEqual(['fallback', 3]);
  });
});
