import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readinessOf } from '../../support/readiness.ts';
import { type RedisCluster, startCluster } from '../../support/redis-cluster.ts';
import { ask, keyHeader } from '../../support/request-loop.ts';
import { startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

/** Where a node says that it is: ports at which nobody listens. */
const announcedPort = (i: number) => i + 1;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
  for (const [i, { admin }] of cluster.nodes.entries()) {
    await admin.config('SET', 'cluster-announce-port', announcedPort(i));
  }
  await until('the announced addresses', async () => {
    const slots = (await cluster.nodes[0]?.admin.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
    return slots.every(([, , [, port]]) => port <= cluster.nodes.length);
  });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

describe('a cluster whose nodes name addresses that lead nowhere from here', () => {
  it('is used by the map of addresses, every master of it', async () => {
    const map = cluster.nodes.map(({ address }, i) => `127.0.0.1:${announcedPort(i)}=${address}`).join();
    const env = { KEY_HEADER: keyHeader, REDIS_TIMEOUT_MS: '2000', REDIS_CLUSTER_ADDRS: cluster.seeds };
    await using service = await startService({ ...env, REDIS_NAT_MAP: map });
    await until('all of Redis', async () => (await readinessOf(service)).mechanism === 'redis');
    const mechanisms = new Set<string | null>();
    for (let i = 0; i < 100; i++) mechanisms.add((await ask(service.url, `k${i}`)).mechanism);
    expect([...mechanisms]).toEqual(['redis']);
    const sizes = await Promise.all(cluster.nodes.map(({ admin }) => admin.dbsize()));
    expect(sizes.filter((size) => size > 0).length).toBeGreaterThanOrEqual(3);
  });
});
