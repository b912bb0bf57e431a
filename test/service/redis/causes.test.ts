import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { masterName } from '../../../chaos/drivers/sentinel.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { type Certificates, createCertificates } from '../../support/certificates.ts';
import { metricsOf, readinessOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type RedisSentinel, startSentinel } from '../../support/redis-sentinel.ts';
import { ask, keyHeader } from '../../support/request-loop.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

let certificates: Certificates;
let redis: RedisProcess;
let sentinel: RedisSentinel;
let tlsPort: number;
let socket: string;
beforeAll(async () => {
  certificates = await createCertificates();
  tlsPort = await freePort();
  redis = await startRedis(certificates.redisArgs(tlsPort));
  socket = join(redis.dir, 'redis.sock');
  await redis.admin.call('ACL', 'SETUSER', 'limiter', 'on', '>hunter2', '~*', '+@all');
  await redis.admin.config('SET', 'requirepass', 'hunter3');
  sentinel = await startSentinel();
});
afterAll(async () => {
  await sentinel[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

const env = { KEY_HEADER: keyHeader, REDIS_TIMEOUT_MS: '1000' };

interface Line {
  readonly msg: string;
  readonly reason?: string;
  readonly cause?: string;
}

/** What the log says of Redis, in its order. */
function linesOf(service: ServiceProcess): readonly Line[] {
  const lines = service
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Line).filter(({ msg }) => /^Redis /.test(msg));
}

/** What the log, /readyz and the metrics say, after some requests in vain. */
async function causesOf(settings: Readonly<Record<string, string>>) {
  await using service = await startService({ ...env, ...settings });
  await until('a cause', async () => (await readinessOf(service)).causes.length > 0);
  for (let i = 0; i < 30; i++) {
    await ask(service.url, `k${i}`);
    await sleep(50);
  }
  const { causes, mechanism } = await readinessOf(service);
  const counted = Object.entries(await metricsOf(service, 'rate_limit_store_errors_total'));
  expect(service.output()).not.toMatch(/hunter/);
  return {
    logged: linesOf(service).map(({ reason }) => reason),
    shown: causes.map(({ reason }) => reason),
    mechanism,
    counted: counted.filter(([, count]) => count > 0).map(([label]) => /"(.*)"/.exec(label)?.[1]),
  };
}

const only = (reason: string) => ({ logged: [reason], shown: [reason], mechanism: 'fallback', counted: [reason] });

describe('why Redis does not decide is logged once, counted and shown', () => {
  it('without a password', async () => {
    expect(await causesOf({ REDIS_ADDR: `127.0.0.1:${redis.port}` })).toEqual(only('noauth'));
  });

  it('with a wrong password', async () => {
    const REDIS_URL = `redis://limiter:hunter4@127.0.0.1:${redis.port}`;
    expect(await causesOf({ REDIS_URL })).toEqual(only('noauth'));
  });

  it('with TLS to a plain port', async () => {
    const REDIS_URL = `rediss://limiter:hunter2@127.0.0.1:${redis.port}`;
    expect(await causesOf({ REDIS_URL })).toEqual(only('tls'));
  });

  it('without TLS to a TLS port', async () => {
    const REDIS_URL = `redis://limiter:hunter2@127.0.0.1:${tlsPort}`;
    const { shown } = await causesOf({ REDIS_URL });
    expect(['protocol', 'disconnected']).toContain(shown[0]); // by what OpenSSL makes of it: an alert, or the end
  });

  it('with a certificate that nobody trusts', async () => {
    const REDIS_URL = `rediss://limiter:hunter2@127.0.0.1:${tlsPort}`;
    expect(await causesOf({ REDIS_URL })).toEqual(only('tls'));
  });

  it('with a host that nobody knows', async () => {
    expect(await causesOf({ REDIS_URL: 'redis://:hunter2@no-such-host.invalid' })).toEqual(only('dns'));
  });

  it('where nothing listens', async () => {
    expect(await causesOf({ REDIS_URL: `redis://:hunter2@localhost:1` })).toEqual(only('refused'));
  });

  it('where there is no socket', async () => {
    expect(await causesOf({ REDIS_URL: `unix://:hunter2@${socket}` })).toEqual(only('refused'));
  });

  it('with Sentinels that know no such master', async () => {
    const settings = { REDIS_SENTINEL_ADDRS: sentinel.addrs, REDIS_SENTINEL_NAME: 'other' };
    expect(await causesOf(settings)).toEqual(only('config'));
  });

  it('with Sentinels that want a password', async () => {
    const settings = { REDIS_SENTINEL_ADDRS: sentinel.addrs, REDIS_SENTINEL_NAME: masterName };
    for (const { admin } of sentinel.sentinels) await admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>hunter5');
    try {
      expect(await causesOf(settings)).toEqual(only('noauth'));
      expect(await causesOf({ ...settings, REDIS_SENTINEL_PASSWORD: 'hunter6' })).toEqual(only('noauth'));
      await using service = await startService({ ...env, ...settings, REDIS_SENTINEL_PASSWORD: 'hunter5' });
      await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    } finally {
      for (const { admin } of sentinel.sentinels) await admin.call('ACL', 'SETUSER', 'default', 'nopass');
    }
  });

  it.each([
    ['are not there', '127.0.0.1:1', 'refused'],
    ['have a name that nobody knows', 'no-such-host.invalid:26379', 'dns'],
  ])('with Sentinels that %s', async (_, REDIS_SENTINEL_ADDRS, reason) => {
    expect(await causesOf({ REDIS_SENTINEL_ADDRS, REDIS_SENTINEL_NAME: masterName })).toEqual(only(reason));
  });

  it('with a Sentinel whose certificate nobody trusts', async () => {
    const REDIS_SENTINEL_ADDRS = `127.0.0.1:${tlsPort}`;
    const settings = { REDIS_URL: 'rediss://localhost', REDIS_SENTINEL_ADDRS, REDIS_SENTINEL_NAME: masterName };
    expect(await causesOf(settings)).toEqual(only('tls'));
  });

  it('with a Sentinel that hangs', async () => {
    const [frozen] = sentinel.sentinels;
    const pid = Number(/^process_id:(\d+)/m.exec(String(await frozen?.admin.info('server')))?.[1]);
    process.kill(pid, 'SIGSTOP');
    try {
      const settings = { REDIS_SENTINEL_ADDRS: String(frozen?.address), REDIS_SENTINEL_NAME: masterName };
      expect(await causesOf(settings)).toEqual(only('timeout'));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('with Sentinels of which some are dead and the others want another password', async () => {
    const [alive] = sentinel.sentinels;
    await alive?.admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>hunter5');
    const REDIS_SENTINEL_ADDRS = `${alive?.address},127.0.0.1:1`;
    const settings = { REDIS_SENTINEL_ADDRS, REDIS_SENTINEL_NAME: masterName, REDIS_SENTINEL_PASSWORD: 'hunter6' };
    try {
      expect([...(await causesOf(settings)).logged].sort()).toEqual(['noauth', 'refused']);
    } finally {
      await alive?.admin.call('ACL', 'SETUSER', 'default', 'nopass');
    }
  });

  it('not at all where one Sentinel is dead and another names the master', async () => {
    const REDIS_SENTINEL_ADDRS = `127.0.0.1:1,${sentinel.addrs}`;
    await using service = await startService({ ...env, REDIS_SENTINEL_ADDRS, REDIS_SENTINEL_NAME: masterName });
    await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    await sleep(1000);
    expect(linesOf(service).map(({ reason }) => reason)).toEqual([undefined]);
    expect(service.child.stderr()).toBe('');
  });

  it('where no node of a cluster can be reached', async () => {
    const { logged, shown } = only('refused');
    expect(await causesOf({ REDIS_CLUSTER_ADDRS: '127.0.0.1:1' })).toMatchObject({ logged, shown });
  });

  it('with a cluster whose hosts nobody knows', async () => {
    const { logged, shown } = only('dns');
    expect(await causesOf({ REDIS_CLUSTER_ADDRS: 'no-such-host.invalid:6379' })).toMatchObject({ logged, shown });
  });

  it('with a cluster whose certificate nobody trusts, and TLS to a plain port of one', async () => {
    const { logged, shown } = only('tls');
    for (const port of [tlsPort, redis.port]) {
      const settings = { REDIS_URL: 'rediss://localhost', REDIS_CLUSTER_ADDRS: `127.0.0.1:${port}` };
      expect(await causesOf(settings)).toMatchObject({ logged, shown });
    }
  });

  it('with a cluster that accepts connections and says nothing', async () => {
    const { logged, shown } = only('timeout');
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const settings = { REDIS_CLUSTER_ADDRS: `127.0.0.1:${redis.port}` };
      expect(await causesOf(settings)).toMatchObject({ logged, shown });
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });

  it('once with a cluster of one node, which is told by no host, and whose slots nobody owns at first', async () => {
    const clustered = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
    await using own = await startRedis([...clustered, '--cluster-preferred-endpoint-type', 'unknown-endpoint']);
    await using service = await startService({ ...env, REDIS_CLUSTER_ADDRS: `127.0.0.1:${own.port}` });
    await until('a cause', () => linesOf(service).length > 0);
    expect((await readinessOf(service)).causes).toEqual([
      {
        shard: `cluster by 127.0.0.1:${own.port}`,
        reason: 'clusterdown',
        message: 'nobody owns 16 of the 16 slots that keys are in',
      },
    ]);
    await own.admin.cluster('ADDSLOTSRANGE', 0, 16_383);
    await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    await until('no cause', async () => (await readinessOf(service)).causes.length === 0);
    await own.admin.config('SET', 'maxmemory', '1');
    await until('an outage', async () => {
      await ask(service.url, 'b');
      return (await readinessOf(service)).causes.length > 0;
    });
    await sleep(2500); // the slots are asked for each second
    await own.admin.config('SET', 'maxmemory', '0');
    await until('the end', async () => (await readinessOf(service)).causes.length === 0);
    const reasons = () => linesOf(service).map(({ reason }) => reason);
    await until('its line', () => reasons().at(-1) === undefined);
    expect(reasons().filter((reason) => reason === 'oom')).toEqual(['oom']);
  });

  it.each(['1', '2'])('once, each change, and its end, with %s workers', async (WORKERS) => {
    await using own = await startRedis();
    await own.admin.call('ACL', 'SETUSER', 'limiter', 'on', '>hunter7', '~*', '+@all');
    const REDIS_URL = `redis://limiter:hunter2@127.0.0.1:${own.port}`;
    await using service = await startService({ ...env, WORKERS, REDIS_URL });
    await until('a cause', () => linesOf(service).length > 0);
    await sleep(1000);
    await own.admin.call('ACL', 'SETUSER', 'limiter', 'resetpass', '>hunter2', '-@all');
    await until('another cause', () => linesOf(service).length > 1);
    await sleep(1000);
    await own.admin.call('ACL', 'SETUSER', 'limiter', '+@all');
    await until('the end', async () => linesOf(service).length > 2 && (await readinessOf(service)).causes.length === 0);
    await sleep(1500);
    expect(linesOf(service).map(({ reason }) => reason)).toEqual(['noauth', 'noperm', undefined]);
    expect((await ask(service.url, 'a')).mechanism).toBe('redis');
    expect(service.output()).not.toMatch(/hunter/);
  });
});

describe('a Unix socket', () => {
  it('is as good as an address, and as narrow: the database and the user are meant', async () => {
    await using own = await startRedis(['--unixsocket', 'redis.sock']);
    await own.admin.call('ACL', 'SETUSER', 'limiter', 'on', '>hunter2', '~*', '+@all');
    const path = join(own.dir, 'redis.sock');
    await using service = await startService({ ...env, REDIS_URL: `redis+unix://limiter:hunter2@${path}?db=3` });
    await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    await own.admin.select(3);
    expect(await own.admin.exists('rl:key:a')).toBe(1);
  });
});
