// The JSON API on a running service with a real Redis.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionAnswer } from '../../../service/doors/json/decision-shape.ts';
import type { FieldMistake } from '../../../service/doors/json/refusal.ts';
import { metricsOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const file = `
policies:
  - {name: everybody, key: address, limits: [1000 per day]}
  - {name: search, match: {path: /search/*}, key: header:x-api-key, limits: [3 per hour, 5 per day]}
  - {name: tried, match: {path: /tried}, key: address, limits: [1 per day], shadow: true}
  - {name: dear, match: {path: /dear}, key: address, limits: [10 per day], cost: 4}
`;

let dir: string;
let redis: RedisProcess;
let service: ServiceProcess;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'failopen-json-'));
  await writeFile(join(dir, 'policies.yaml'), file);
  redis = await startRedis();
  service = await startService({
    REDIS_URL: redis.url,
    POLICIES_FILE: join(dir, 'policies.yaml'),
    REDIS_TIMEOUT_MS: '10000', // for the machine's sake
    API_TOKEN: 'api-secret',
    ADMIN_TOKEN: 'admin-secret',
  });
  await until('Redis', async () => (await (await fetch(`${service.url}/readyz`)).json()).mechanism === 'redis');
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
  await rm(dir, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  /** Of all answers together. */
  readonly body: Partial<DecisionAnswer & { detail: string; errors: readonly FieldMistake[]; policies: unknown }>;
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
