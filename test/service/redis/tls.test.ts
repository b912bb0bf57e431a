import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { type Certificates, createCertificates } from '../../support/certificates.ts';
import { projectDirectory } from '../../support/lab-processes.ts';
import { metricsOf, readinessOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { startSentinelNode } from '../../support/redis-nodes.ts';
import { ask, keyHeader } from '../../support/request-loop.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

/** All that the service needs, with one Redis. */
const commands = '+evalsha +eval +time +get +set +del +zadd +zrangebyscore +zremrangebyscore +pexpire +zcard +zrem';
/** And with a cluster. */
const clusterCommands = '+cluster|slots +client|setname +asking +readonly +readwrite';
const keys = '~rl:* ~rl-instances';

let certificates: Certificates;
let redis: RedisProcess;
let tlsPort: number;
beforeAll(async () => {
  certificates = await createCertificates();
  tlsPort = await freePort();
  // A cluster of one: a cluster's client can find its way in it, and any other is served as well.
  const cluster = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--tls-cluster', 'yes'];
  redis = await startRedis([
    ...certificates.redisArgs(tlsPort),
    ...cluster,
    '--cluster-port',
    String(await freePort()),
  ]);
  await redis.admin.cluster('ADDSLOTSRANGE', 0, 16_383);
  await until('the cluster', async () => String(await redis.admin.cluster('INFO')).includes('cluster_state:ok'));
  for (const rule of [
    `limiter on >secret ${keys} ${commands}`,
    `cluster-limiter on >secret ${keys} ${commands} ${clusterCommands}`,
    `reader on >secret ~* +get`,
  ]) {
    await redis.admin.call('ACL', 'SETUSER', ...rule.split(' '));
  }
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

const env = (user: string) => ({
  REDIS_URL: `rediss://${user}@127.0.0.1:${tlsPort}`,
  NODE_EXTRA_CA_CERTS: certificates.caFile,
  KEY_HEADER: keyHeader,
  RATE_LIMIT_WINDOW_SEC: '86400',
  REDIS_TIMEOUT_MS: '10000', // for the machine's sake
  BREAKER_RESET_MS: '200',
});

/** The reasons that calls to Redis failed for. */
const reasonsOf = async (service: ServiceProcess) =>
  Object.entries(await metricsOf(service, 'rate_limit_store_errors_total'))
    .filter(([, count]) => count > 0)
    .map(([label]) => /"(.*)"/.exec(label)?.[1]);

async function expectRedisToDecide(service: ServiceProcess, key: string) {
  await redis.admin.call('ACL', 'LOG', 'RESET');
  await until('Redis', async () => (await readinessOf(service)).redis === 'connected');
  expect((await ask(service.url, key)).mechanism).toBe('redis');
  expect(await redis.admin.keys(`rl:*${key}`)).toHaveLength(1);
  expect({ reasons: await reasonsOf(service), refused: await redis.admin.call('ACL', 'LOG') }).toEqual({
    reasons: [],
    refused: [],
  });
}

async function expectFallback(service: ServiceProcess, reason: string) {
  await until(`the reason ${reason}`, async () => {
    expect((await ask(service.url, 'refused')).mechanism).toBe('fallback');
    return (await reasonsOf(service)).includes(reason);
  });
}

describe('the service over TLS as a user of its own', () => {
  it('is told by service/README.md which rights it needs', async () => {
    const page = await readFile(join(projectDirectory, 'service', 'README.md'), 'utf8');
    const text = page.replaceAll('\n', ' ');
    for (const rights of [`${keys} ${commands}`, '+select', clusterCommands]) expect(text).toContain(`\`${rights}\``);
  });

  it('decides in Redis with no more rights than service/README.md names', async () => {
    await using one = await startService(env('limiter:secret'));
    await expectRedisToDecide(one, 'trusted');
    await using two = await startService(env('limiter:secret'));
    await until('both to count two', async () => {
      return (await readinessOf(one)).instances === 2 && (await readinessOf(two)).instances === 2;
    });
  });

  it('decides in a cluster likewise', async () => {
    const url = { ...env('cluster-limiter:secret'), REDIS_CLUSTER_ADDRS: `127.0.0.1:${tlsPort}` };
    await using service = await startService(url);
    await expectRedisToDecide(service, 'clustered');
  });

  it('knows the nodes of a cluster by their names, where their certificates have no addresses', async () => {
    await using named = await createCertificates('DNS:localhost');
    const port = await freePort();
    await using node = await startRedis([
      ...named.redisArgs(port),
      ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--tls-cluster', 'yes'],
      ...['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'],
    ]);
    await node.admin.cluster('ADDSLOTSRANGE', 0, 16_383);
    await until('the cluster', async () => String(await node.admin.cluster('INFO')).includes('cluster_state:ok'));
    await using service = await startService({
      ...env('default:'),
      REDIS_URL: 'rediss://localhost',
      REDIS_CLUSTER_ADDRS: `localhost:${port}`,
      NODE_EXTRA_CA_CERTS: named.caFile,
    });
    await until('Redis', async () => (await ask(service.url, 'named')).mechanism === 'redis');
  });

  it('speaks TLS to the Sentinels too', async () => {
    const [port, sentinelTlsPort] = [await freePort(), await freePort()];
    const config = join(redis.dir, 'sentinel.conf');
    const sentinelArgs = [...certificates.redisArgs(sentinelTlsPort), '--tls-replication', 'yes'];
    await writeFile(config, `port ${port}\nbind 127.0.0.1\nsentinel monitor tls 127.0.0.1 ${tlsPort} 1\n`);
    const sentinel = await startSentinelNode(redis.dir, port, config, sentinelArgs);
    try {
      const addrs = { REDIS_SENTINEL_ADDRS: `127.0.0.1:${sentinelTlsPort}`, REDIS_SENTINEL_NAME: 'tls' };
      await using service = await startService({ ...env('limiter:secret'), ...addrs });
      await expectRedisToDecide(service, 'guarded');
    } finally {
      await sentinel.end();
    }
  });

  it('says noperm when the user may not run scripts, and decides on the fallback', async () => {
    await using service = await startService(env('reader:secret'));
    await expectFallback(service, 'noperm');
  });

  it('says noauth when the password is wrong, and decides on the fallback', async () => {
    await using service = await startService(env('limiter:wrong'));
    await expectFallback(service, 'noauth');
  });

  it('does not talk to a Redis whose certificate it has no reason to trust', async () => {
    await using service = await startService({ ...env('limiter:secret'), NODE_EXTRA_CA_CERTS: '' });
    await expectFallback(service, 'tls');
  });
});
