// The JSON API on a running service with a real Redis.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiParts } from '../../../service/doors/json/api-parts.ts';
import { checkBatchRoute } from '../../../service/doors/json/check-batch.ts';
import type { DecisionAnswer } from '../../../service/doors/json/decision-shape.ts';
import type { FieldMistake } from '../../../service/doors/json/refusal.ts';
import { startPoliciesService } from '../../support/policies-service.ts';
import { metricsOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import type { ServiceProcess } from '../../support/service.ts';

const file = `
policies:
  - {name: everybody, key: address, limits: [1000 per day]}
  - {name: search, match: {path: /search/*}, key: header:x-api-key, limits: [3 per hour, 5 per day]}
  - {name: tried, match: {path: /tried}, key: address, limits: [1 per day], shadow: true}
  - {name: dear, match: {path: /dear}, key: address, limits: [10 per day], cost: 4}
  - {name: given, key: given, limits: [1 per day]}
`;

let redis: RedisProcess;
let service: ServiceProcess;
beforeAll(async () => {
  redis = await startRedis();
  service = await startPoliciesService(file, { API_TOKEN: 'api-secret', ADMIN_TOKEN: 'admin-secret' }, redis.url);
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  /** Of all answers together. */
  readonly body: Partial<
    DecisionAnswer & {
      detail: string;
      errors: readonly FieldMistake[];
      policies: unknown;
      status: number;
      binds: string;
      matches: readonly Readonly<Record<string, unknown>>[];
      decisions: readonly DecisionAnswer[];
    }
  >;
}

const withToken = { authorization: 'Bearer api-secret' };

async function ask(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(service.url + path, {
    method,
    headers: { ...withToken, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    headers: answer.headers,
    body: text === '' ? {} : JSON.parse(text),
  };
}

const check = (body: unknown, query = '') => ask('POST', `/v1/check${query}`, JSON.stringify(body));

/** What fits, mostly. */
const nearly = <T>(fitting: fc.Arbitrary<T>): fc.Arbitrary<T | fc.JsonValue> =>
  fc.oneof({ weight: 9, arbitrary: fitting }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
const checks = nearly(
  fc.record(
    {
      key: nearly(fc.constantFrom('a', '', 'x'.repeat(513), '\ud800')),
      policy: nearly(fc.string()),
      cost: nearly(fc.oneof(fc.integer(), fc.constantFrom(1.5, 0, 2 ** 53, 1e300))),
      other: fc.boolean(),
    },
    { requiredKeys: ['key'] },
  ),
);

describe('POST /v1/check', () => {
  it('takes from all limits of the policy, and tells the one that binds', async () => {
    const key = 'alice';
    expect(await check({ key, policy: 'search' })).toMatchObject({
      status: 200,
      type: 'application/json',
      body: {
        allowed: true,
        limit: 3,
        remaining: 2,
        retryAfterMs: 0,
        resetMs: expect.any(Number),
        mechanism: 'redis',
        policy: 'search',
      },
    });
    expect((await check({ key, policy: 'search', cost: 2 })).body).toMatchObject({ allowed: true, remaining: 0 });
    const refused = await check({ key, policy: 'search' });
    expect(refused).toMatchObject({ status: 200, body: { allowed: false, limit: 3, remaining: 0 } });
    expect(refused.body.retryAfterMs).toBeGreaterThan(1_000_000);
    expect(refused.body.retryAfterMs).toBeLessThanOrEqual(1_200_000);
    expect((await redis.admin.keys('rl:search/*')).sort()).toEqual([
      'rl:search/3600s/given=alice',
      'rl:search/86400s/given=alice',
    ]);
  });

  it('answers 429 where that is asked for, with the same body and when to come back', async () => {
    const asked = { key: 'bob', policy: 'search', cost: 3 };
    expect((await check(asked, '?status=429')).status).toBe(200);
    const refused = await check(asked, '?status=429');
    expect(refused).toMatchObject({
      status: 429,
      type: 'application/json',
      body: { allowed: false, limit: 5, remaining: 2 },
    });
    const retryAfterS = Number(refused.headers.get('retry-after'));
    expect(retryAfterS).toBe(Math.ceil(Number(refused.body.retryAfterMs) / 1000));
  });

  it('costs what the policy says, unless the check says otherwise', async () => {
    expect((await check({ key: 'a', policy: 'dear' })).body.remaining).toBe(6);
    expect((await check({ key: 'a', policy: 'dear', cost: 1 })).body.remaining).toBe(5);
  });

  it('always allows by a policy that is only tried out, and tells what it would have said', async () => {
    const answers = [await check({ key: 'a', policy: 'tried' }), await check({ key: 'a', policy: 'tried' })];
    expect(answers.map(({ body: { allowed, shadow, remaining } }) => [allowed, shadow, remaining])).toEqual([
      [true, 'allowed', 0],
      [true, 'denied', 0],
    ]);
    expect(await metricsOf(service, 'rate_limit_shadow_requests_total')).toEqual({
      'policy="tried",status="allowed"': 1,
      'policy="tried",status="blocked"': 1,
    });
  });
});

describe('POST /v1/check/batch', () => {
  const batch = (checks: unknown) => ask('POST', '/v1/check/batch', JSON.stringify({ checks }));

  it('answers in the order of the checks, each for itself', async () => {
    const { status, body } = await batch([
      { key: 'c', policy: 'search', cost: 3 },
      { key: 'c', policy: 'search' },
      { key: 'd', policy: 'search' },
      { key: 'c', policy: 'tried' },
      { key: 'c', policy: 'given' },
    ]);
    expect([status, body.decisions?.map(({ allowed, remaining, policy }) => [allowed, remaining, policy])]).toEqual([
      200,
      [
        [true, 0, 'search'],
        [false, 0, 'search'],
        [true, 2, 'search'],
        [true, 0, 'tried'],
        [true, 0, 'given'],
      ],
    ]);
  });

  it('takes up to 1,000, of as many keys or of one, and none', async () => {
    const many = await batch(Array.from({ length: 1000 }, (_, n) => ({ key: `many-${n}`, policy: 'given' })));
    expect(many.body.decisions?.filter(({ allowed }) => allowed)).toHaveLength(1000);
    const one = await batch(Array.from({ length: 1000 }, () => ({ key: 'one', policy: 'everybody' })));
    expect(one.body.decisions?.map(({ remaining }) => remaining)).toEqual(
      Array.from({ length: 1000 }, (_, n) => 999 - n),
    );
    expect((await batch([])).body).toEqual({ decisions: [] });
  });

  it('takes nothing when one of them is wrong, and names ten of the wrong ones', async () => {
    const wrong = Array.from({ length: 20 }, () => ({ key: 'e', policy: 'search', cost: 4 }));
    const { status, body } = await batch([{ key: 'e', policy: 'search' }, ...wrong]);
    expect([status, body.errors?.length, body.errors?.[0]]).toEqual([
      400,
      10,
      { field: 'checks[1].cost', detail: 'checks[1].cost is 4; allowed: up to 3, the smallest capacity of search' },
    ]);
    expect((await check({ key: 'e', policy: 'search' })).body.remaining).toBe(2);
  });

  it.each([
    [
      '1,001 checks',
      Array(1001).fill({ key: 'a', policy: 'given' }),
      400,
      'checks is a list of 1001; allowed: a list of up to 1000 checks.',
    ],
    ['no list', 5, 400, 'checks is 5; allowed: a list of up to 1000 checks.'],
    ['nothing', undefined, 400, 'checks is missing; allowed: a list of up to 1000 checks.'],
    ['no check', [null], 400, 'checks[0] is null; allowed: an object with the fields key, policy, cost.'],
    [
      'a long key',
      [{ key: 'x'.repeat(513), policy: 'given' }],
      413,
      'checks[0].key has 513 bytes; allowed: a string of 1 to 512 bytes in UTF-8.',
    ],
  ])('refuses %s', async (_, checks, status, detail) => {
    const answer = await batch(checks);
    expect([answer.status, answer.type, answer.body.detail]).toEqual([status, 'application/problem+json', detail]);
  });
});

describe('a check with a mistake', () => {
  const key = 'a';
  const policy = 'given';
  const oneToTwelve = 'a string of 1 to 512 bytes in UTF-8';
  const costs = 'a whole number, 1 or more';
  it.each<[unknown, number, string]>([
    [[], 400, 'body is a list of 0; allowed: an object with the fields key, policy, cost.'],
    [null, 400, 'body is null; allowed: an object with the fields key, policy, cost.'],
    [{ policy }, 400, `key is missing; allowed: ${oneToTwelve}.`],
    [{ policy, key: '' }, 400, `key is ""; allowed: ${oneToTwelve}.`],
    [{ policy, key: 7 }, 400, `key is 7; allowed: ${oneToTwelve}.`],
    [{ policy, key: ['a'] }, 400, `key is a list of 1; allowed: ${oneToTwelve}.`],
    [{ policy, key: '\ud83d' }, 400, `key is "\\ud83d"; allowed: ${oneToTwelve}, without half of a surrogate pair.`],
    [{ policy, key: '\u00e9'.repeat(257) }, 413, `key has 514 bytes; allowed: ${oneToTwelve}.`],
    [{ policy, key, cost: 0 }, 400, `cost is 0; allowed: ${costs}.`],
    [{ policy, key, cost: -1 }, 400, `cost is -1; allowed: ${costs}.`],
    [{ policy, key, cost: 1.5 }, 400, `cost is 1.5; allowed: ${costs}.`],
    [{ policy, key, cost: '1' }, 400, `cost is "1"; allowed: ${costs}.`],
    [{ policy, key, cost: null }, 400, `cost is null; allowed: ${costs}.`],
    [{ policy, key, cost: 1e300 }, 400, `cost is 1e+300; allowed: ${costs}.`],
    [{ policy, key, cost: 2 }, 400, 'cost is 2; allowed: up to 1, the smallest capacity of given.'],
    [{ key }, 400, 'policy is missing; allowed: everybody, search, tried, dear, given.'],
    [{ key, policy: 'constructor' }, 400, 'policy is "constructor"; allowed: everybody, search, tried, dear, given.'],
    [{ key, policy, tokens: 1 }, 400, 'tokens is no field; allowed: key, policy, cost.'],
  ])('%j is answered %i and names the field', async (body, status, detail) => {
    const answer = await check(body);
    expect([answer.status, answer.type, answer.body.detail]).toEqual([status, 'application/problem+json', detail]);
    const field = detail.split(' ')[0];
    expect(answer.body.errors).toEqual([{ field, detail: detail.slice(0, -1) }]);
  });

  it('is told all of its mistakes', async () => {
    expect((await check({ key: '', cost: 0, x: 1 })).body.errors?.map(({ field }) => field)).toEqual([
      'key',
      'cost',
      'x',
    ]);
  });

  it.each([
    ['', 'body is missing'],
    ['{', 'body is not JSON (Expected property name or '],
    ['{"key":"a","cost":NaN}', 'body is not JSON (Unexpected token '],
    ['{"key":"a","cost":1e400}', 'cost is Infinity; allowed: '],
    ['{"key":"a","__proto__":{"cost":1}}', '__proto__ is no field; allowed: key, policy, cost'],
    ['['.repeat(8000) + ']'.repeat(8000), 'body is a list of 1; allowed: an object'],
    [`${'{"key":'.repeat(2000)}1${'}'.repeat(2000)}`, 'key is an object; allowed: '],
    [`{${Array.from({ length: 101 }, (_, n) => `"x${n}":0`)}}`, 'body has 101 fields; allowed: up to 100'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'body is not UTF-8; allowed: an object in JSON, in UTF-8'],
  ])('in its JSON is answered 400: %.40s', async (body, detail) => {
    const answer = await ask('POST', '/v1/check', body);
    expect([answer.status, answer.body.detail?.slice(0, detail.length)]).toEqual([400, detail]);
  });

  it.each([
    ['?status=200', 'status is "200"; allowed: 429.'],
    ['?status=429&status=429', 'status is a list of 2; allowed: 429.'],
    ['?stat=429', 'stat is no field; allowed: status.'],
  ])('in its query is answered 400: %s', async (query, detail) => {
    expect((await check({ key, policy }, query)).body.detail).toBe(detail);
  });
});

describe('a batch', () => {
  it('is read as its schema reads it', () => {
    const { body, readBody = (it: unknown) => it } = checkBatchRoute({} as ApiParts).request;
    const isRead = (value: unknown) => {
      try {
        return readBody(value) !== undefined;
      } catch {
        return false;
      }
    };
    const sent = nearly(fc.record({ checks: fc.array(checks, { maxLength: 3 }) }));
    fc.assert(
      fc.property(sent, (it) => {
        const value = JSON.parse(JSON.stringify(it)); // as it comes
        expect(isRead(value)).toBe(body?.safeParse(value).success);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a check', () => {
  it.each([
    ['512 bytes', 'x'.repeat(512)],
    ['any script', 'Zoë 日本 \u{1F600}'],
    ['what looks like other keys', 'address=127.0.0.1|header:x=1'],
    ['control characters', 'a\r\n\0\x7f\ufeff'],
  ])('takes a key of %s, and has a bucket for it', async (_, key) => {
    expect((await check({ key, policy: 'given' })).body).toMatchObject({ allowed: true, remaining: 0 });
    expect(await redis.admin.exists(`rl:given/86400s/given=${key}`)).toBe(1);
  });

  it('never meets the bucket of an address or a header', async () => {
    const before = (await check({ key: '127.0.0.1', policy: 'everybody' })).body.remaining;
    await fetch(service.url);
    expect((await check({ key: '127.0.0.1', policy: 'everybody' })).body.remaining).toBe(Number(before) - 1);
  });

  it.each([
    ['application/json; charset=UTF-8', 200],
    ['Application/JSON;charset="utf-8"', 200],
    ['application/json; charset=latin1', 415],
    ['application/json-patch+json', 415],
    ['text/plain', 415],
  ])('of the type %s is answered %i', async (type, status) => {
    const body = JSON.stringify({ key: type, policy: 'everybody' });
    expect((await ask('POST', '/v1/check', body, { 'content-type': type })).status).toBe(status);
  });

  it('may begin with a byte order mark, and may not be compressed', async () => {
    expect((await ask('POST', '/v1/check', '\ufeff{"key":"bom","policy":"given"}')).status).toBe(200);
    const gzipped = await ask('POST', '/v1/check', '{}', { 'content-encoding': 'gzip' });
    expect([gzipped.status, gzipped.headers.get('accept-encoding')]).toEqual([415, 'identity']);
  });
});

describe('POST /v1/explain', () => {
  const explain = (request: unknown) => ask('POST', '/v1/explain', JSON.stringify(request));
  const search = { method: 'GET', path: '/search/a?b=1', headers: { 'X-Api-Key': 'explained' }, address: '192.0.2.9' };
  const bucketsNow = async () => (await redis.admin.keys('*explained*')).length;

  it('tells which policies a request meets, which limit binds, and what it would be answered, and takes nothing', async () => {
    expect((await explain(search)).body).toEqual({
      status: 200,
      binds: 'search-3600s',
      mechanism: 'redis',
      matches: [
        {
          policy: 'everybody',
          shadow: false,
          key: 'address=192.0.2.9',
          cost: 1,
          limits: [{ name: 'everybody', allowed: true, limit: 1000, remaining: 1000, retryAfterMs: 0, resetMs: 0 }],
        },
        {
          policy: 'search',
          shadow: false,
          key: 'header:x-api-key=explained',
          cost: 1,
          limits: [
            { name: 'search-3600s', allowed: true, limit: 3, remaining: 3, retryAfterMs: 0, resetMs: 0 },
            { name: 'search-86400s', allowed: true, limit: 5, remaining: 5, retryAfterMs: 0, resetMs: 0 },
          ],
        },
      ],
    });
    expect(await bucketsNow()).toBe(0);
  });

  it('says 429 for a request that would be refused from memory, although another instance has filled its bucket', async () => {
    const headers = { 'x-api-key': 'remembered' };
    const told = async () => (await explain({ ...search, headers })).body;
    const answered = async () => (await fetch(`${service.url}/search/a`, { headers })).status;
    for (let n = 0; n < 3; n++) await answered();
    expect([(await told()).status, await answered()]).toEqual([429, 429]);
    await redis.admin.del(await redis.admin.keys('*remembered*'));
    expect([await told(), await answered()]).toEqual([
      expect.objectContaining({ status: 429, binds: 'search-3600s', mechanism: 'redis' }),
      429,
    ]);
  });

  it('says 429 for a request that would be refused, and 400 for one that cannot be counted', async () => {
    for (let n = 0; n < 3; n++) await fetch(`${service.url}/search/a`, { headers: { 'x-api-key': 'explained' } });
    expect((await explain(search)).body).toMatchObject({ status: 429, binds: 'search-3600s' });
    expect((await explain({ ...search, headers: { 'X-Api-Key': ' \t explained\t ' } })).body).toMatchObject({
      status: 429, // HTTP leaves the space around a value out
    });
    const msFor = async (value: string) => {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        const startMs = performance.now();
        expect((await explain({ ...search, headers: { 'X-Api-Key': value } })).status).toBe(200);
        times.push(performance.now() - startMs);
      }
      return Math.min(...times);
    };
    const ofBlanks = await msFor(`a${' '.repeat(15_000)}a`); // each may be the first of the last ones
    expect(ofBlanks).toBeLessThan(10 * (await msFor('a'.repeat(15_000))));
    const twice = { 'X-Api-Key': 'a', 'x-api-key': 'b' };
    expect((await explain({ ...search, headers: twice })).body).toMatchObject({ status: 400 });
    const { body } = await explain({ ...search, headers: {} });
    expect([body.status, body.binds, body.matches?.[1]]).toEqual([
      400,
      undefined,
      {
        policy: 'search',
        shadow: false,
        mistake: 'The request has no header:x-api-key, which its limit is counted by.',
      },
    ]);
  });

  it('tells what is only tried out as that', async () => {
    const { body } = await explain({ method: 'GET', path: '/tried', address: '2001:db8:1:2345::1' });
    expect(body.matches?.map(({ policy, shadow, key }) => [policy, shadow, key])).toEqual([
      ['everybody', false, 'address=2001:db8:1:2300::/56'],
      ['tried', true, 'address=2001:db8:1:2300::/56'],
    ]);
  });

  it.each([
    [{ ...search, method: 'get' }, 'method is "get"; allowed: a method of HTTP in capitals, as GET.'],
    [{ ...search, path: 'search' }, 'path is "search"; allowed: a path and query, as /search?q=a.'],
    [{ ...search, address: 'localhost' }, 'address is "localhost"; allowed: an IP address.'],
    [
      { ...search, headers: { a: 1 } },
      'headers.a is 1; allowed: an object of header names and their values, as strings.',
    ],
  ])('is answered 400 to %j', async (request, detail) => {
    const { status, body } = await explain(request);
    expect([status, body.detail]).toEqual([400, detail]);
  });
});

describe('the JSON API', () => {
  it('lists its policies', async () => {
    expect((await ask('GET', '/v1/policies')).body.policies).toContainEqual({
      name: 'search',
      limits: [
        { name: 'search-3600s', capacity: 3, windowMs: 3_600_000 },
        { name: 'search-86400s', capacity: 5, windowMs: 86_400_000 },
      ],
      shadow: false,
    });
  });

  it.each([
    ['none', {}, 'Bearer'],
    ['another', { authorization: 'Bearer api-secreu' }, 'Bearer error="invalid_token"'],
    ['another scheme', { authorization: 'Basic api-secret' }, 'Bearer'],
    ['a part', { authorization: 'Bearer api' }, 'Bearer error="invalid_token"'],
  ])('answers 401 where a token is asked for and %s comes', async (_, headers, challenge) => {
    const answer = await ask('GET', '/v1/policies', undefined, { authorization: '', ...headers });
    expect([answer.status, answer.type, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'application/problem+json',
      challenge,
    ]);
  });

  it('takes the admin token too, and none for its own description', async () => {
    expect((await ask('GET', '/v1/policies', undefined, { authorization: 'bearer admin-secret' })).status).toBe(200);
    expect((await ask('GET', '/openapi.json', undefined, { authorization: '' })).status).toBe(200);
  });

  it.each([
    ['GET', '/v1/check', 'POST'],
    ['OPTIONS', '/v1/check', 'POST'],
    ['POST', '/v1/policies', 'GET, HEAD'],
  ])('answers 405 to %s %s, and what is allowed', async (method, path, allow) => {
    const answer = await ask(method, path, method === 'POST' ? '{}' : undefined);
    expect([answer.status, answer.type, answer.headers.get('allow')]).toEqual([405, 'application/problem+json', allow]);
  });

  it('answers HEAD as GET, without the body', async () => {
    const answers = [await ask('HEAD', '/v1/policies'), await ask('GET', '/v1/policies')];
    expect(answers.map(({ status, headers }) => [status, headers.get('content-length')])).toEqual(
      Array(2).fill([200, answers[0]?.headers.get('content-length')]),
    );
    expect(answers[0]?.body).toEqual({});
  });
});

describe('the JSON API without Redis', () => {
  const policies = `
policies:
  - {name: open, key: given, limits: [5 per day], onStoreFailure: open}
  - {name: closed, key: given, limits: [5 per day], onStoreFailure: closed}
  - {name: small, key: given, limits: [{capacity: 5, windowSeconds: 3600, fallbackCapacity: 2}]}
`;

  it('says of a decision no more than is known, and has no routes for an admin without a token', async () => {
    await using alone = await startPoliciesService(policies);
    const told = async (check: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${alone.url}/v1/check?status=429`, {
        method: 'POST',
        headers,
        body: JSON.stringify(check),
      });
      return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: await answer.json() };
    };
    const key = 'a';
    expect(await told({ key, policy: 'open' })).toEqual({
      status: 200,
      retryAfter: null,
      body: { allowed: true, limit: 5, retryAfterMs: 0, mechanism: 'open', policy: 'open' },
    });
    expect(await told({ key, policy: 'closed' })).toEqual({
      status: 429,
      retryAfter: '1',
      body: { allowed: false, limit: 5, retryAfterMs: 1000, mechanism: 'closed', policy: 'closed' },
    });
    expect(await told({ key, policy: 'small', cost: 3 })).toEqual({
      status: 429,
      retryAfter: null,
      body: { allowed: false, limit: 2, remaining: 2, resetMs: 0, mechanism: 'fallback', policy: 'small' },
    });
    expect(await metricsOf(alone, 'rate_limit_requests_total')).toMatchObject({
      'mechanism="open",status="allowed"': 1,
      'mechanism="closed",status="blocked"': 1,
      'mechanism="fallback",status="blocked"': 1,
    });
    const statusOf = async (path: string, method = 'GET') => (await fetch(alone.url + path, { method })).status;
    expect([
      await statusOf('/v1/top'),
      await statusOf('/v1/buckets/open/a'),
      await statusOf('/v1/buckets/open/a', 'DELETE'),
      await statusOf('/v1/checks'),
      await statusOf('/v1/check/'),
    ]).toEqual([404, 200, 405, 404, 404]);
  });
});
