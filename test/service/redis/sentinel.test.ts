import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { masterName } from '../../../chaos/drivers/sentinel.ts';
import { readinessOf } from '../../support/readiness.ts';
import { type RedisSentinel, startSentinel } from '../../support/redis-sentinel.ts';
import { ask, keyHeader, slowestMs, startRequestLoop, waitMsMax } from '../../support/request-loop.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

let sentinel: RedisSentinel;
let service: ServiceProcess;
beforeAll(async () => {
  sentinel = await startSentinel();
  service = await startService({
    REDIS_SENTINEL_ADDRS: sentinel.addrs,
    REDIS_SENTINEL_NAME: masterName,
    KEY_HEADER: keyHeader,
    RATE_LIMIT: '10000', // nobody is refused
    RATE_LIMIT_BURST: '10000',
    RATE_LIMIT_WINDOW_SEC: '86400', // and every bucket stays to be found
    REDIS_TIMEOUT_MS: '10000', // for the machine's sake: what is dead is refused at once, and nobody waits for it
    BREAKER_RESET_MS: '200',
    ADMIN_TOKEN: 'admin',
  });
});
afterAll(async () => {
  await service.stop();
  await sentinel[Symbol.asyncDispose]();
});

const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);

/**
 * Asks on while `change` gives the role of master to the other Redis, until that one decides for every key; tells all
 * answers since the change, and those to what was asked since it decided.
 */
async function askThrough(change: () => Promise<unknown>) {
  const former = await sentinel.master();
  await until('Redis to decide', async () => (await readinessOf(service)).mechanism === 'redis');
  await using load = startRequestLoop(service.url, keys);
  await until('every key to be seen', () => load.newest().size === keys.length);
  const before = load.answers.length;
  await change();
  const now = await until('another master', async () => {
    const master = await sentinel.master();
    return master !== former && master;
  });
  await until('Redis to decide again, the new one', async () => {
    const key = `new-${performance.now()}`;
    return (await ask(service.url, key)).mechanism === 'redis' && (await now.admin.exists(`rl:key:${key}`)) === 1;
  });
  const sinceMs = performance.now();
  await until('every key to be asked again', () =>
    [...load.newest().values()].every(({ sentMs }) => sentMs >= sinceMs),
  );
  const answers = (await load.stop()).slice(before);
  return { former, now, answers, since: answers.filter(({ sentMs }) => sentMs >= sinceMs) };
}

const statusesOf = (answers: readonly { status: number }[]) => [...new Set(answers.map(({ status }) => status))];

describe('the service over Sentinel', () => {
  it('decides on the fallback when the master is killed, and in its successor without a restart', async () => {
    const { former, now, answers, since } = await askThrough(async () => (await sentinel.master()).kill());
    expect(statusesOf(answers)).toEqual([200]);
    expect(answers.some(({ mechanism }) => mechanism === 'fallback')).toBe(true);
    expect(slowestMs(answers)).toBeLessThan(waitMsMax);
    expect(new Set(since.map(({ mechanism }) => mechanism))).toEqual(new Set(['redis']));
    const { mechanism, redis, breaker } = await readinessOf(service);
    expect({ mechanism, redis, last: breaker.transitions.at(-1) }).toEqual({
      mechanism: 'redis',
      redis: 'connected',
      last: { atMs: expect.any(Number), shard: `${masterName} by Sentinel`, from: 'half-open', to: 'closed' },
    });
    await former.restart();
    await former.admin.replicaof('127.0.0.1', now.port); // a Sentinel would do it, ten seconds later
    await sentinel.healthy();
  });

  it('looks at a bucket, gives back and resets in the master', async () => {
    const master = await sentinel.master();
    const authorization = 'Bearer admin';
    const call = async (method: string, path: string, body?: unknown) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await (await fetch(service.url + path, { method, headers, ...sent })).json();
      return [answer.mechanism, answer.limits[0].remaining];
    };
    const check = { key: 'a', cost: 10 };
    await fetch(`${service.url}/v1/check`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(check),
    });
    expect([
      await call('GET', '/v1/buckets/default/a'),
      await call('POST', '/v1/refund', { ...check, cost: 3, id: '1' }),
      await master.admin.exists('rl:given=a'),
      await call('DELETE', '/v1/buckets/default/a'),
      await master.admin.exists('rl:given=a'),
    ]).toEqual([['redis', 9990], ['redis', 9993], 1, ['redis', 10_000], 0]);
  });

  it('asks the Sentinels that are left when the first one is dead', async () => {
    const [first] = sentinel.sentinels;
    await first?.kill();
    await using other = await startService({ REDIS_SENTINEL_ADDRS: sentinel.addrs, REDIS_SENTINEL_NAME: masterName });
    await until('Redis to decide', async () => (await readinessOf(other)).mechanism === 'redis');
    await first?.restart();
    await sentinel.healthy();
  });

  // The last: after it, the former master is no replica for ten seconds.
  it('goes with SENTINEL FAILOVER to the new master', async () => {
    const { former, now, answers } = await askThrough(() =>
      (sentinel.sentinels[0] as (typeof sentinel.sentinels)[number]).admin.call('SENTINEL', 'FAILOVER', masterName),
    );
    expect(now.port).not.toBe(former.port);
    expect(statusesOf(answers)).toEqual([200]);
    expect(slowestMs(answers)).toBeLessThan(waitMsMax);
  });
});
