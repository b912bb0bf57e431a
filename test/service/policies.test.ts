// A policies file on a running service with a real Redis.

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PoliciesService, startPoliciesService } from '../support/policies-service.ts';
import { sendRaw } from '../support/raw-http.ts';
import { metricsOf } from '../support/readiness.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';
import { spawnService } from '../support/service.ts';

const file = `
policies:
  - name: everybody
    key: address
    limits: [1000 per day]
  - name: search
    match: {method: GET, path: /search/*}
    key: [header:x-api-key, address]
    limits: [3 per hour, 5 per day]
    cost: {header: x-cost, max: 3}
  - name: user
    match: {path: /users/:id}
    key: path:id
    limits: [{capacity: 2, windowSeconds: 86400}]
  - name: tried
    match: {path: /tried}
    key: header:x-api-key
    limits: [1 per day]
    shadow: true
  - name: account
    match: {path: /account}
    key: jwt:sub
    limits: [3 per day]
    candidate: [1 per hour, 2 per day]
`;

let redis: RedisProcess;
let service: PoliciesService;
beforeAll(async () => {
  redis = await startRedis();
  service = await startPoliciesService(file, {}, redis.url);
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

/** Paths that no route is at are counted, too, and then answered 404. */
const ask = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${service.url}${path}`, { headers });
  const { detail, 'violated-policies': violated } = (answer.headers.get('content-type') ?? '').includes('problem')
    ? await answer.json()
    : await answer.text();
  return { status: answer.status, limits: answer.headers.get('ratelimit'), detail, violated };
};
const left = ({ limits }: { limits: string | null }) => limits?.replace(/;t=\d+/g, '');
/** What the address has left, and takes one more. */
const everybodyLeft = async () => Number(/"everybody";r=(\d+)/.exec((await ask('/')).limits ?? '')?.[1]);

describe('a service with a policies file', () => {
  it('takes from every limit of every policy that is for the request, and tells each', async () => {
    const before = await everybodyLeft();
    const first = await ask('/search/a', { 'x-api-key': 'alice', 'x-cost': '2' });
    expect([first.status, left(first)]).toEqual([
      404,
      `"everybody";r=${before - 1}, "search-3600s";r=1, "search-86400s";r=3`,
    ]);
    expect((await redis.admin.keys('rl:*')).sort()).toEqual([
      'rl:everybody/86400s/address=127.0.0.1',
      'rl:search/3600s/header:x-api-key=alice|address=127.0.0.1',
      'rl:search/86400s/header:x-api-key=alice|address=127.0.0.1',
    ]);
  });

  it('takes nothing of any when one limit refuses, and says which', async () => {
    const headers = { 'x-api-key': 'bob', 'x-cost': '3' };
    await ask('/search', headers);
    const before = await everybodyLeft();
    const refused = await ask('/search/%2e/x', headers);
    expect([refused.status, refused.violated, left(refused)]).toEqual([
      429,
      ['search-3600s', 'search-86400s'],
      `"everybody";r=${before}, "search-3600s";r=0, "search-86400s";r=2`,
    ]);
    expect(await everybodyLeft()).toBe(before - 1);
  });

  it('has a bucket for each value of a path parameter', async () => {
    const statuses = async (path: string) => [
      (await ask(path)).status,
      (await ask(path)).status,
      (await ask(path)).status,
    ];
    expect([await statuses('/users/7'), await statuses('/users/8')]).toEqual([
      [404, 404, 429],
      [404, 404, 429],
    ]);
  });

  it('answers 400 to a request without its key, or with a cost that is not allowed, and takes nothing', async () => {
    const before = await everybodyLeft();
    const answers = [await ask('/search'), await ask('/search', { 'x-api-key': 'a', 'x-cost': '4' })];
    expect(answers.map(({ status, detail }) => [status, detail])).toEqual([
      [400, 'The request has no header:x-api-key, which its limit is counted by.'],
      [400, 'The cost in x-cost is not a whole number from 1 to 3.'],
    ]);
    expect(await everybodyLeft()).toBe(before - 1);
  });
});

describe('a policy that is only tried out', () => {
  it('is counted, also where it cannot count a request, and changes no answer', async () => {
    const before = await everybodyLeft();
    const answers = [
      await ask('/tried', { 'x-api-key': 'a' }),
      await ask('/tried', { 'x-api-key': 'a' }),
      await ask('/tried'),
    ];
    expect(answers.map((answer) => [answer.status, left(answer)])).toEqual(
      [1, 2, 3].map((n) => [404, `"everybody";r=${before - n}`]),
    );
    expect(await metricsOf(service, 'rate_limit_shadow_requests_total')).toMatchObject({
      'policy="tried",status="allowed"': 1,
      'policy="tried",status="blocked"': 1,
    });
    expect(await metricsOf(service, 'rate_limit_request_mistakes_total')).toEqual({
      'policy="everybody"': 0,
      'policy="search"': 2,
      'policy="user"': 0,
      'policy="tried"': 1,
      'policy="account"': 0,
    });
    const decided = await metricsOf(service, 'rate_limit_requests_total');
    expect(decided['mechanism="fallback",status="blocked"']).toBe(0);
    expect(decided['mechanism="redis",status="blocked"']).toBe(3); // of the tests above, and none of this policy
  });
});

describe('a candidate', () => {
  const tokenOf = (claims: unknown) =>
    `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`;

  it('is counted beside the limits, which answer alone', async () => {
    const authorization = tokenOf({ sub: 'alice' });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await ask('/account', { authorization }));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 429]);
    expect(left(answers[0] as { limits: string })).not.toContain('account-');
    expect(await metricsOf(service, 'rate_limit_shadow_requests_total')).toMatchObject({
      'policy="account",status="allowed"': 1,
      'policy="account",status="blocked"': 3,
    });
    expect((await redis.admin.keys('rl:account/*')).sort()).toEqual([
      'rl:account/86400s/jwt:sub=alice',
      'rl:account/candidate/3600s/jwt:sub=alice',
      'rl:account/candidate/86400s/jwt:sub=alice',
    ]);
  });

  it('is counted with a check by its name, too', async () => {
    const check = async (body: unknown, path = '/v1/check') => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${service.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await answer.json()) as { allowed?: boolean };
    };
    const blocked = async () =>
      (await metricsOf(service, 'rate_limit_shadow_requests_total'))['policy="account",status="blocked"'] as number;
    const before = await blocked();
    const one = { policy: 'account', key: 'k' };
    expect([(await check(one)).allowed, (await check(one)).allowed]).toEqual([true, true]);
    await check({ checks: [one, one] }, '/v1/check/batch');
    expect(await blocked()).toBe(before + 3);
  });

  it('takes nothing where the policy cannot count the request, which is answered 400', async () => {
    const mistakes = async () => (await metricsOf(service, 'rate_limit_request_mistakes_total'))['policy="account"'];
    for (const headers of [{}, { authorization: 'Bearer a.b.c' }, { authorization: tokenOf({ aud: 'x' }) }] as Record<
      string,
      string
    >[])
      expect(await ask('/account', headers)).toMatchObject({
        status: 400,
        detail: 'The request has no jwt:sub, which its limit is counted by.',
      });
    expect(await mistakes()).toBe(3);
  });
});

describe('a key', () => {
  it('is read from one header: a request with several of the name is answered 400, or any value beside it were another bucket', async () => {
    const before = await everybodyLeft();
    const token = (sub: string) => `Bearer e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.s`;
    const of = async (path: string, ...headers: string[]) => {
      const head = [`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: close', ...headers].join('\r\n');
      const { status, body } = await sendRaw(service.port, `${head}\r\n\r\n`);
      return [status, JSON.parse(body).detail];
    };
    const keys = ['X-Api-Key: mallory', 'x-api-key: any'];
    const tokens = [`Authorization: ${token('any')}`, `authorization: ${token('mallory')}`];
    expect(await of('/search/a', ...keys)).toEqual([
      400,
      'The request has several headers x-api-key, of which its limit is counted by one.',
    ]);
    expect(await of('/account', ...tokens)).toEqual([
      400,
      'The request has several headers authorization, of which its limit is counted by one.',
    ]);
    expect((await of('/v1/auth', ...keys, 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: /search/a'))[0]).toBe(400);
    expect((await of('/elsewhere', ...keys, ...tokens))[0]).toBe(404);
    expect(await everybodyLeft()).toBe(before - 2);
  });
});

describe('a service with a policies file that is wrong', () => {
  const endOf = async (env: Record<string, string>) => {
    const child = spawnService({ PORT: '1', ...env });
    const { code } = await child.ended;
    return { code, text: child.stderr() };
  };

  it('does not start, and names every mistake with its place', async () => {
    const path = `${service.policiesPath}.bad`;
    await writeFile(path, 'policies:\n- name: a\n  key: user\n  limits: [10 per fortnight]\n');
    const { code, text } = await endOf({ POLICIES_FILE: path });
    expect([code, text.split('\n').map((line) => line.trim().replace(/ is (?!not usable).*/, ''))]).toEqual([
      78,
      [
        'The environment is not usable:',
        `POLICIES_FILE ${path}:3 policies[0].key`,
        `POLICIES_FILE ${path}:4 policies[0].limits[0]`,
        '',
      ],
    ]);
  });

  it('does not start without the file, nor with settings that say the same', async () => {
    const { code, text } = await endOf({
      POLICIES_FILE: `${service.policiesPath}.none`,
      RATE_LIMIT: '5',
      KEY_HEADER: 'x-key',
    });
    expect(code).toBe(78);
    expect(text).toContain('RATE_LIMIT is "5"; allowed: not set, with POLICIES_FILE');
    expect(text).toContain('KEY_HEADER is "x-key"; allowed: not set, with POLICIES_FILE');
    expect(text).toContain('which cannot be read: ENOENT');
  });
});
