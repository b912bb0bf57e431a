import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { masterName } from '../../../chaos/drivers/sentinel.ts';
import { metricsOf, readinessOf } from '../../support/readiness.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { startSentinel } from '../../support/redis-sentinel.ts';
import { ask, keyHeader } from '../../support/request-loop.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { startTamperingProxy } from '../../support/tampering-proxy.ts';
import { until } from '../../support/until.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis(['--databases', '4']);
  await redis.admin.call('ACL', 'SETUSER', 'narrow', 'on', '>secret', '~*', '+@all', '-select');
  await redis.admin.call('ACL', 'SETUSER', 'wide', 'on', '>secret', '~*', '+@all');
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

const env = { KEY_HEADER: keyHeader, REDIS_TIMEOUT_MS: '1000', INSTANCES: '1' };

/** What the service makes of a database that it is refused, after a while. */
async function refusal(service: ServiceProcess) {
  await until('a cause', async () => (await readinessOf(service)).causes.length > 0);
  const mechanisms = new Set<string | null>();
  for (let i = 0; i < 20; i++) {
    mechanisms.add((await ask(service.url, `k${i}`)).mechanism);
    await sleep(50);
  }
  const { redis, mechanism, causes } = await readinessOf(service);
  const errors = await metricsOf(service, 'rate_limit_store_errors_total');
  const counted = Object.entries(errors).filter(([, count]) => count > 0);
  return {
    mechanisms: [...mechanisms],
    redis,
    mechanism,
    reasons: causes.map(({ reason }) => reason),
    counted: counted.map(([label]) => label),
  };
}

const refusedFor = (reason: string) => ({
  mechanisms: ['fallback'],
  redis: 'disconnected',
  mechanism: 'fallback',
  reasons: [reason],
  counted: [`reason="${reason}"`],
});

describe('a database that Redis refuses', () => {
  it('is never replaced by another one: it does not exist', async () => {
    await using proxy = await startTamperingProxy(redis.port);
    await using service = await startService({ ...env, REDIS_URL: `redis://wide:secret@127.0.0.1:${proxy.port}/99` });
    expect(await refusal(service)).toEqual(refusedFor('config'));
    expect(await redis.admin.dbsize()).toBe(0);
    expect(service.output()).toContain('ERR DB index is out of range');
    expect(service.output()).not.toContain('secret');
    const before = proxy.connections();
    await sleep(2000);
    expect(proxy.connections() - before).toBeLessThan(10); // half a second apart, and up to half of it off
  });

  it('is never replaced by another one: the user may not select', async () => {
    await using service = await startService({ ...env, REDIS_URL: `redis://narrow:secret@127.0.0.1:${redis.port}/3` });
    expect(await refusal(service)).toEqual(refusedFor('noperm'));
    expect(await redis.admin.dbsize()).toBe(0);
  });

  it('is never replaced by another one after a reconnect, and is taken back when it is allowed', async () => {
    await using service = await startService({ ...env, REDIS_URL: `redis://wide:secret@127.0.0.1:${redis.port}/3` });
    await until('Redis', async () => (await ask(service.url, 'a')).mechanism === 'redis');
    await redis.admin.call('ACL', 'SETUSER', 'wide', '-select');
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect((await refusal(service)).reasons).toEqual(['noperm']);
    expect(await redis.admin.dbsize()).toBe(0);
    await redis.admin.call('ACL', 'SETUSER', 'wide', '+select');
    await until('Redis', async () => (await ask(service.url, 'b')).mechanism === 'redis');
    expect(await redis.admin.dbsize()).toBe(0);
    expect((await readinessOf(service)).causes).toEqual([]);
  });

  it('is never replaced by another one of the master that Sentinels name', async () => {
    await using sentinel = await startSentinel();
    await using service = await startService({
      ...env,
      REDIS_URL: 'redis://127.0.0.1/99',
      REDIS_SENTINEL_ADDRS: sentinel.addrs,
      REDIS_SENTINEL_NAME: masterName,
    });
    expect(await refusal(service)).toEqual(refusedFor('config'));
    expect(await (await sentinel.master()).admin.dbsize()).toBe(0);
  });
});
