// A proxy asks about its clients' requests, on a running service with a real Redis.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PoliciesService, startPoliciesService } from '../../support/policies-service.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const file = `
policies:
  - {name: login, match: {method: POST, path: /login}, key: address, limits: [2 per day]}
  - {name: token, match: {path: /token/*}, key: header:x-api-key, limits: [2 per day]}
  - {name: read, match: {method: GET, path: /read}, key: address, limits: [2 per day]}
`;

let redis: RedisProcess;
let service: PoliciesService;
beforeAll(async () => {
  redis = await startRedis();
  service = await startPoliciesService(file, { TRUST_PROXY: '127.0.0.1,10.0.0.0/8' }, redis.url);
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const auth = async (method: string, uri: string, headers: Record<string, string> = {}, query = '') => {
  const forwarded = { 'X-Forwarded-Method': method, 'X-Forwarded-Uri': uri };
  const answer = await fetch(`${service.url}/v1/auth${query}`, { headers: { ...forwarded, ...headers } });
  const text = await answer.text();
  const told = (name: string) => answer.headers.get(name);
  return {
    status: answer.status,
    text,
    left: told('x-ratelimit-remaining'),
    real: told('x-ratelimit-status'),
    retry: told('retry-after'),
  };
};

describe('forward auth', () => {
  it('decides by the forwarded method, path and address, and lets pass what no policy is for', async () => {
    const from = (...addresses: string[]) => ({ 'X-Forwarded-For': addresses.join(', ') });
    const first = from('192.0.2.1', '10.0.0.1');
    expect(await auth('POST', '/login?next=/', first)).toEqual({
      status: 200,
      text: '',
      left: '1',
      real: null,
      retry: null,
    });
    expect((await auth('POST', '//login', first)).left).toBe('0');
    expect(await auth('POST', '/login', first)).toMatchObject({ status: 429, real: null, retry: expect.any(String) });
    expect((await auth('POST', 'http://x/login', first)).status).toBe(429);
    // Another client; one that writes an address before its own; and a request that no policy is for.
    expect((await auth('POST', '/login', from('192.0.2.2', '10.0.0.1'))).left).toBe('1');
    expect((await auth('POST', '/login', from('198.51.100.9', '192.0.2.1', '10.0.0.1'))).status).toBe(429);
    expect(await auth('GET', '/login', first)).toMatchObject({ status: 200, left: null });
  });

  it('counts a method in any case: proxies pass it on as it is, and some frameworks answer it alike', async () => {
    const from = { 'X-Forwarded-For': '192.0.2.77, 10.0.0.1' };
    expect((await auth('post', '/login', from)).left).toBe('1');
    expect((await auth('PoST', '/login', from)).left).toBe('0');
    expect((await auth('POST', '/login', from)).status).toBe(429);
  });

  it('counts HEAD by a policy of GET, by which it would be answered', async () => {
    const from = { 'X-Forwarded-For': '192.0.2.77' };
    const left = async (method: string) => (await auth(method, '/read', from)).left;
    expect([await left('GET'), await left('HEAD'), await left('POST')]).toEqual(['1', '0', null]);
    expect((await auth('HEAD', '/read', from)).status).toBe(429);
  });

  it('takes clients of one IPv6 network for one, and of the next for another', async () => {
    const left = async (address: string) => (await auth('POST', '/login', { 'X-Forwarded-For': address })).left;
    expect([
      await left('2001:db8:0:1::1'),
      await left('[2001:db8:0:ff::2]:443'),
      await left('2001:db8:0:100::1'),
    ]).toEqual(['1', '0', '1']);
  });

  it('believes no entry before one that is no address', async () => {
    expect((await auth('POST', '/login', { 'X-Forwarded-For': '192.0.2.7, unknown' })).status).toBe(200);
    expect((await redis.admin.keys('rl:login/*')).filter((name) => name.endsWith('address=127.0.0.1'))).toHaveLength(1);
  });

  it('refuses with the status that the proxy wants, and tells the real one', async () => {
    const headers = { 'X-Api-Key': 'k' };
    for (const left of ['1', '0'])
      expect(await auth('GET', '/token/a', headers, '?refused=403')).toMatchObject({ status: 200, left });
    expect(await auth('GET', '/token/a', headers, '?refused=403')).toMatchObject({ status: 403, real: '429' });
    expect(await auth('GET', '/token/a', {}, '?refused=403')).toMatchObject({ status: 403, real: '400' });
  });

  it.each([
    [
      'without the method',
      { 'X-Forwarded-Uri': '/' },
      '',
      'The header X-Forwarded-Method is missing: it says what the client asked for.',
    ],
    [
      'without the path',
      { 'X-Forwarded-Method': 'GET' },
      '',
      'The header X-Forwarded-Uri is missing: it says what the client asked for.',
    ],
    [
      'with two methods',
      { 'X-Forwarded-Method': 'GET, POST', 'X-Forwarded-Uri': '/' },
      '',
      'The header X-Forwarded-Method is "GET, POST"; allowed: one method.',
    ],
    [
      'with no method',
      { 'X-Forwarded-Method': 'POST /login', 'X-Forwarded-Uri': '/' },
      '',
      'The header X-Forwarded-Method is "POST /login"; allowed: one method.',
    ],
    [
      'with another status',
      { 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/' },
      '?refused=200',
      'refused is not a status from 400 to 499.',
    ],
  ])('answers 400 %s', async (_, headers, query, detail) => {
    const answer = await fetch(`${service.url}/v1/auth${query}`, { headers });
    expect([answer.status, (await answer.json()).detail]).toEqual([400, detail]);
  });

  it.each([
    ['that does not say which request', {}],
    ['that does not say its path', { 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '' }],
    ['with two methods', { 'X-Forwarded-Method': 'GET, POST', 'X-Forwarded-Uri': '/' }],
  ])('is refused with the status that is asked for, and tells its own, of a question %s', async (_, headers) => {
    const answer = await fetch(`${service.url}/v1/auth?refused=403`, { headers });
    const { status, detail } = await answer.json();
    expect([answer.status, answer.headers.get('x-ratelimit-status'), status]).toEqual([403, '400', 400]);
    expect(detail).toMatch(/^The header X-Forwarded-/);
  });

  it('takes no header that a proxy has added beside the one that its client wrote', async () => {
    const { port } = new URL(service.url);
    const asked = async (...headers: string[]) =>
      (await sendRaw(Number(port), `GET /v1/auth HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\n\r\n`)).status;
    const [method, uri] = ['X-Forwarded-Method: POST', 'X-Forwarded-Uri: /login'];
    expect(await asked('X-Forwarded-Method: GET', method, uri)).toBe(400);
    expect(await asked(method, 'X-Forwarded-Uri: /', uri)).toBe(400);
    expect(await asked(method, 'X-Forwarded-Uri: /a, /b')).toBe(200); // a path with a comma
    expect(await asked('X-Forwarded-Method: PROPFIND', uri)).toBe(200);
  });

  it.each(['/v1/auth', '/', '/metrics', '/healthz', '/readyz'])(
    'is asked by GET, as all that the service answers beside the JSON API: %s',
    async (path) => {
      const answer = await fetch(service.url + path, { method: 'POST' });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect((await answer.json()).detail).toBe('POST is not served here; GET and HEAD are.');
      expect((await fetch(`${service.url}${path}/a`, { method: 'POST' })).status).toBe(404);
    },
  );

  it.each(['/v1/auth', 'http://h/v1/auth', 'http://h:99999/v1/auth'])(
    'reads its own target in any form: %s',
    async (target) => {
      const forwarded = 'X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /\r\n';
      const { port } = new URL(service.url);
      const answer = (query: string) =>
        sendRaw(Number(port), `GET ${target}${query} HTTP/1.1\r\nHost: x\r\n${forwarded}\r\n`);
      expect((await answer('')).status).toBe(200);
      expect((await answer('?refused=403')).status).toBe(200);
      expect((await answer('?refused=403&refused=404')).status).toBe(400);
    },
  );
});
