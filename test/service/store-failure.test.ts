// What each policy says of an outage, on a running service whose Redis is killed.

import { expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';
import { startPoliciesService } from '../support/policies-service.ts';
import { metricsOf } from '../support/readiness.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const file = `
policies:
  - {name: search, match: {path: /search}, key: address, limits: [2 per day], onStoreFailure: open}
  - {name: login, match: {path: /login}, key: address, limits: [2 per day], onStoreFailure: closed}
  - {name: short, match: {path: /short}, key: address, limits: [2 per day], onStoreFailure: {open: {forSeconds: 1}}}
  - {name: rest, match: {path: /rest}, key: address, limits: [2 per day]}
`;

it('each policy does in an outage what it says: allows without a word on what is left, refuses with 503, or leaves it to the fallback', async () => {
  const port = await freePort();
  const first = await startRedis([], port);
  await using service = await startPoliciesService(file, { BREAKER_RESET_MS: '100' }, first.url); // what is dead is refused at once
  const ask = async (policy: string) => {
    const { status, headers } = await fetch(`${service.url}/${policy}`);
    const told = (name: string) => headers.get(`x-ratelimit-${name}`);
    return [
      status,
      told('mechanism'),
      told('remaining'),
      headers.get('ratelimit') !== null,
      headers.get('retry-after'),
    ];
  };
  for (const policy of ['search', 'login', 'short', 'rest'])
    expect(await ask(policy)).toEqual([404, 'redis', '1', true, null]);

  await first.kill();
  for (let i = 0; i < 5; i++) {
    expect(await ask('search')).toEqual([404, 'open', null, false, null]);
    expect(await ask('login')).toEqual([503, 'closed', null, false, '1']);
  }
  expect((await ask('rest'))[1]).toBe('fallback');
  expect((await ask('short'))[1]).toBe('open');
  await until('the end of the budget', async () => (await ask('short'))[1] === 'fallback');
  const series = await metricsOf(service, 'rate_limit_requests_total');
  expect(series['mechanism="closed",status="blocked"']).toBe(5);
  expect(series['mechanism="open",status="allowed"']).toBeGreaterThanOrEqual(6);

  await using _second = await startRedis([], port);
  await until('Redis', async () => (await ask('login'))[1] === 'redis');
  expect(await ask('search')).toEqual([404, 'redis', '1', true, null]);
});
