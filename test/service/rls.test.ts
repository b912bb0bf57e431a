// The door of Envoy's rate limit service, on a running service.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthDefinition } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf } from '../support/readiness.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';
import { descriptorsOf, errorOf, gistOf, RlsClient } from '../support/rls.ts';
import { type RlsService, startRlsService } from '../support/rls-service.ts';
import { until } from '../support/until.ts';

const rules = `
domain: edge
descriptors:
  - {key: user, rate_limit: {unit: day, requests_per_unit: 3, name: by user}}
  - key: tenant
    descriptors:
      - {key: path, value: /free, rate_limit: {unlimited: true}}
      - {key: path, rate_limit: {unit: day, requests_per_unit: 5}}
  - {key: trial, shadow_mode: true, rate_limit: {unit: day, requests_per_unit: 1}}
  - {key: login, onStoreFailure: closed, rate_limit: {unit: day, requests_per_unit: 3}}
  - {key: search, onStoreFailure: open, rate_limit: {unit: day, requests_per_unit: 3}}
`;

const ADMIN_TOKEN = 'another-token-of-the-admin';

describe('the door of Envoy', () => {
  let redis: RedisProcess;
  let service: RlsService;
  let client: RlsClient;

  beforeAll(async () => {
    redis = await startRedis();
    service = await startRlsService(rules, { RLS_RESPONSE_HEADERS: 'on', ADMIN_TOKEN }, redis.url);
    client = new RlsClient(service.grpcPort);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await service.stop();
    await redis.stop();
  });

  it('takes what all descriptors of a request ask for, or nothing, in Redis', async () => {
    const both = descriptorsOf('user=a', 'tenant=t path=/x');
    expect(gistOf(await client.ask('edge', both))).toEqual(['OK', 'OK 2/3 DAY', 'OK 4/5 DAY']);
    expect(gistOf(await client.ask('edge', both, { hitsAddend: 2 }))).toEqual(['OK', 'OK 0/3 DAY', 'OK 2/5 DAY']);
    expect(gistOf(await client.ask('edge', both))).toEqual(['OVER_LIMIT', 'OVER_LIMIT 0/3 DAY', 'OK 2/5 DAY']);
    expect((await redis.admin.keys('rl:*rls*')).sort()).toEqual([
      'rl:rls/day/rls:edge|tenant=t|path=/x',
      'rl:rls/day/rls:edge|user=a',
    ]);
  });

  it('tells headers for the answer of the client, and the time until the bucket is full', async () => {
    await client.ask('edge', descriptorsOf('user=b'), { hitsAddend: 3 });
    const { statuses, response_headers_to_add: headers } = await client.ask('edge', descriptorsOf('user=b'));
    expect(statuses).toMatchObject([{ current_limit: { name: 'by user' }, limit_remaining: 0 }]);
    expect(statuses[0]?.duration_until_reset?.seconds).toBeGreaterThan(86_390);
    expect(headers.map(({ key, value }) => [key, Number(value) > 28_000 ? 'much' : value])).toEqual([
      ['RateLimit-Limit', '3'],
      ['RateLimit-Remaining', '0'],
      ['RateLimit-Reset', 'much'],
      ['X-RateLimit-Mechanism', 'redis'],
      ['Retry-After', 'much'],
    ]);
  });

  it('looks, gives back, lets through what is unlimited, and refuses nobody for what is tried out', async () => {
    const of = (text: string, rest: object) => descriptorsOf(text).map((descriptor) => ({ ...descriptor, ...rest }));
    await client.ask('edge', descriptorsOf('user=c'), { hitsAddend: 3 });
    expect(gistOf(await client.ask('edge', of('user=c', { hits_addend: { value: 0 } })))[0]).toBe('OVER_LIMIT');
    const back = { hits_addend: { value: 2 }, is_negative_hits: true };
    expect(gistOf(await client.ask('edge', of('user=c', back)))).toEqual(['OK', 'OK 2/3 DAY']);
    expect(gistOf(await client.ask('edge', of('user=c', { hits_addend: { value: 0 } })))).toEqual(['OK', 'OK 2/3 DAY']);
    expect(gistOf(await client.ask('edge', descriptorsOf('tenant=t path=/free')))).toEqual(['OK', 'OK 4294967295']);
    for (let i = 0; i < 3; i++) expect(gistOf(await client.ask('edge', descriptorsOf('trial=x')))[0]).toBe('OK');
    const override = { limit: { requests_per_unit: 2, unit: 'HOUR' } };
    expect(gistOf(await client.ask('edge', of('user=c', override)))).toEqual(['OK', 'OK 1/2 HOUR']);
    expect(gistOf(await client.ask('edge', descriptorsOf('nobody=x')))).toEqual(['OK', 'OK 0']);
  });

  it('counts all that it decides, under a name of its own', async () => {
    const requests = await metricsOf(service, 'rate_limit_requests_total');
    expect(requests['mechanism="redis",status="blocked"']).toBe(2);
    expect(await metricsOf(service, 'rate_limit_shadow_requests_total')).toEqual({
      'policy="rls",status="allowed"': 1,
      'policy="rls",status="blocked"': 2,
    });
    const asAdmin = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
    const top = (await (await fetch(`${service.url}/v1/top`, asAdmin)).json()) as { keys: object[] };
    expect(top.keys).toContainEqual(expect.objectContaining({ policy: 'rls', key: 'rls:edge|user=b' }));
  });

  it.each([
    ['no domain', '', descriptorsOf('user=a'), 'domain is empty; allowed: the domain of some rules.'],
    ['no descriptor', 'edge', [], 'descriptors is empty; allowed: at least one.'],
    [
      'too many',
      'edge',
      descriptorsOf(...Array(10_000).fill('user=a')),
      'descriptors has more than 100; allowed: 1 to 100.',
    ],
    [
      'an unknown unit',
      'edge',
      [{ entries: [], limit: { requests_per_unit: 1, unit: 'UNKNOWN' } }],
      'descriptors[0].limit.unit is 0; allowed: 1 to 7, which is SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, WEEK.',
    ],
  ])('a request with %s is refused, and the answer says why', async (_, domain, descriptors, why) => {
    expect(await errorOf(client.ask(domain, descriptors))).toBe(`INVALID_ARGUMENT: ${why}`);
  });

  it('a message that is none, or too long, harms nobody; one with a very long value is counted', async () => {
    for (const bytes of [[0xff], [0x12, 0x7f], [0x1b], Array(64).fill(0x0a)])
      expect(await errorOf(client.send(Buffer.from(bytes)))).toMatch(/^INVALID_ARGUMENT: The message is no RateLimit/);
    expect(await errorOf(client.send(Buffer.alloc(300_000)))).toMatch(/^RESOURCE_EXHAUSTED/);
    const long = `user=${'x'.repeat(60_000)}`;
    expect(gistOf(await client.ask('edge', descriptorsOf(long, long)))).toEqual(['OK', 'OK 1/3 DAY', 'OK 1/3 DAY']);
    expect((await metricsOf(service, 'rate_limit_request_mistakes_total'))['policy="rls"']).toBe(8);
  });
});

describe('with workers, a token and hashed keys', () => {
  const API_TOKEN = 'a-token-of-sixteen-characters';
  const env = { WORKERS: '2', API_TOKEN, HASH_KEYS: 'a secret of some length', BREAKER_RESET_MS: '100' };
  const token = `Bearer ${API_TOKEN}`;

  it('answers who has the token, keeps keys from Redis, decides without Redis in time, and drains at its end', async () => {
    await using redis = await startRedis();
    await using service = await startRlsService(rules, env, redis.url);
    using client = new RlsClient(service.grpcPort);
    const ask = (text: string, withinMs = 5000) => client.ask('edge', descriptorsOf(text), { token, withinMs });
    expect(await errorOf(client.ask('edge', descriptorsOf('user=a')))).toBe(
      'UNAUTHENTICATED: The header Authorization: Bearer is missing.',
    );
    expect(await errorOf(client.ask('edge', [], { token: 'Bearer other' }))).toMatch(/^UNAUTHENTICATED: .* not valid/);
    expect(gistOf(await ask('user=alice'))).toEqual(['OK', 'OK 2/3 DAY']);
    expect((await redis.admin.keys('rl:*')).filter((name) => name.includes('alice'))).toEqual([]);

    const other = client.client;
    expect(await unary(other, healthDefinition, 'check', {})).toEqual({ status: 'SERVING' });
    expect(await errorOf(unary(other, healthDefinition, 'check', { service: 'x' }))).toMatch(/^NOT_FOUND/);
    const states: unknown[] = [];
    const watch = streamOf(other, healthDefinition, 'watch', {}, (state) => states.push(state));
    expect(await servicesOf(other)).toContain('envoy.service.ratelimit.v3.RateLimitService');

    await redis.kill();
    await until('the fallback', async () => gistOf(await ask('login=a'))[0] === 'OVER_LIMIT');
    expect(gistOf(await ask('login=a'))).toEqual(['OVER_LIMIT', 'OVER_LIMIT 0']);
    expect(gistOf(await ask('search=a'))).toEqual(['OK', 'OK 0']);
    for (let i = 0; i < 20; i++) expect((await ask(`user=${i}`, 1000)).statuses[0]?.limit_remaining).toBe(0);

    let answered = 0;
    const errors: string[] = [];
    let stopped = false;
    const loops = Array.from({ length: 8 }, async (_, i) => {
      while (!stopped) {
        await ask(`search=${i}`).then(
          () => answered++,
          (error: Error) => errors.push(error.message),
        );
        if (errors.length > 0) await sleep(10);
      }
    });
    await until('some answers', () => answered > 20);
    service.child.process.kill('SIGTERM');
    expect(await service.child.ended).toEqual({ code: 0, signal: null });
    stopped = true;
    await Promise.all(loops);
    expect(errors.filter((message) => !message.includes('No connection established'))).toEqual([]);
    await watch;
    expect(states).toEqual([{ status: 'SERVING' }, { status: 'NOT_SERVING' }]);
  });
});

function unary(client: Client, definition: ServiceDefinition, name: string, request: object): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = definition[upperFirst(name)] as never;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

/** Resolves when the server ends the stream, or the connection. */
function streamOf(
  client: Client,
  definition: ServiceDefinition,
  name: string,
  request: object,
  onData: (message: unknown) => void,
): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = definition[upperFirst(name)] as never;
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  stream.on('data', onData);
  return new Promise((resolve) => {
    stream.on('error', () => resolve());
    stream.on('end', () => resolve());
  });
}

/** What the server says that it serves. */
async function servicesOf(client: Client): Promise<string[]> {
  const directory = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const protocol = loadSync(join(directory, 'build/proto/grpc/reflection/v1/reflection.proto'));
  const definition = protocol['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
  const { path, requestSerialize, responseDeserialize } = definition.ServerReflectionInfo as never;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
  const answer = new Promise<{ listServicesResponse: { service: { name: string }[] } }>((resolve, reject) => {
    stream.on('data', resolve);
    stream.on('error', reject);
  });
  stream.write({ listServices: '*' });
  const names = (await answer).listServicesResponse.service.map(({ name }) => name);
  stream.end();
  return names;
}

function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
