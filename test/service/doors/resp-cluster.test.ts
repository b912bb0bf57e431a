// Takes over RESP before a Redis Cluster, with two workers and keys that are hashed.

import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { seriesOf } from '../../support/metrics-page.ts';
import { readinessOf } from '../../support/readiness.ts';
import { type RedisCluster, startCluster } from '../../support/redis-cluster.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const secret = 'sixteen bytes of it';
const adminToken = 'the-token-of-an-admin';
const keys = Array.from({ length: 60 }, (_, i) => `alice-${i}`);

let cluster: RedisCluster;
let service: ServiceProcess;
/** Over a connection each, so that both workers are asked. */
let clients: Redis[];

beforeAll(async () => {
  const port = await freePort();
  cluster = await startCluster();
  service = await startService({
    RESP_PORT: String(port),
    REDIS_CLUSTER_ADDRS: cluster.seeds,
    REDIS_TIMEOUT_MS: '10000', // however busy the machine is
    WORKERS: '2',
    HASH_KEYS: secret,
    ADMIN_TOKEN: adminToken,
  });
  await until('Redis', async () => (await readinessOf(service)).mechanism === 'redis');
  await until('two workers', async () => (await seriesOf(service)).get('rate_limit_workers') === 2);
  clients = Array.from({ length: 4 }, () => new Redis({ host: '127.0.0.1', port }));
});
afterAll(async () => {
  for (const client of clients ?? []) client.disconnect();
  await service?.stop();
  await cluster?.[Symbol.asyncDispose]();
});

/** What is answered to a pipeline with a take of each key: whether it is refused, and what is left. */
async function takesOf(client: Redis, times = 1): Promise<readonly (readonly [number, number])[]> {
  const pipeline = client.pipeline();
  for (let i = 0; i < times; i++) for (const key of keys) pipeline.call('CL.THROTTLE', key, 5, 1, 86_400);
  const answers = (await pipeline.exec()) as [Error | null, number[]][];
  return answers.map(([error, answer]) => {
    if (error) throw error;
    return [answer[0] as number, answer[2] as number];
  });
}

it('a pipeline has takes of keys of every master, each bucket is one over all workers, and the order is kept', async () => {
  for (let left = 5; left >= 2; left--)
    expect(await takesOf(clients[left % 4] as Redis)).toEqual(keys.map(() => [0, left]));
  expect(await takesOf(clients[0] as Redis, 2)).toEqual([...keys.map(() => [0, 1]), ...keys.map(() => [0, 0])]);
  expect(await takesOf(clients[1] as Redis)).toEqual(keys.map(() => [1, 0]));
  const decided = await seriesOf(service);
  expect(decided.get('rate_limit_requests_total{mechanism="redis",status="allowed"}')).toBe(6 * keys.length);
  expect(decided.get('rate_limit_requests_total{mechanism="redis",status="blocked"}')).toBe(keys.length);
});

it('no master can read a key, and each has some', async () => {
  const names = await Promise.all((await cluster.masters()).map(({ admin }) => admin.keys('rl:*')));
  expect(names.map((some) => some.length > 0)).toEqual([true, true, true]);
  for (const name of names.flat()) expect(name).toMatch(/^rl:\{\d+\}:resp\/86400000000us\/key:[\w-]{43}$/);
  expect(names.flat()).toHaveLength(keys.length);
  expect(service.output()).not.toMatch(new RegExp(`alice|${secret}`));
});

it('GET /v1/top tells whom it refuses, by the name in Redis', async () => {
  for (let i = 0; i < 3; i++) for (const client of clients) await client.call('CL.THROTTLE', 'greedy', 0, 1, 86_400);
  await clients[0]?.call('CL.THROTTLE', 'greedy', 0, 1, 86_400, 0); // a look is refused nothing
  const answer = await fetch(`${service.url}/v1/top`, { headers: { authorization: `Bearer ${adminToken}` } });
  const { keys: refused } = (await answer.json()) as { keys: { key: string }[] };
  expect(refused[0]).toEqual({
    policy: 'resp',
    key: expect.stringMatching(/^key:[\w-]{43}$/),
    refused: 11,
    errorAtMost: 0,
  });
  const names = await Promise.all((await cluster.masters()).map(({ admin }) => admin.keys(`*/${refused[0]?.key}`)));
  expect(names.flat()).toHaveLength(1);
});
