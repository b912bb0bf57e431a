// How soon a changed policies file is in force, and what requests see of it, under load and with a real Redis.

import { expect, it } from 'vitest';
import { keepAliveLoad } from '../support/keep-alive-load.ts';
import { startPoliciesService } from '../support/policies-service.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

it('new limits are in force within 1 s, and every request meanwhile is answered as always', async () => {
  const policiesWith = (capacity: number) =>
    `policies: [{name: all, key: address, limits: [{capacity: ${capacity}, windowSeconds: 1}]}]`;
  await using redis = await startRedis();
  await using service = await startPoliciesService(policiesWith(1_000_000), {}, redis.url);
  const load = keepAliveLoad(service.url, 8);
  const tookMs: number[] = [];
  for (const capacity of [2_000_000, 3_000_000, 4_000_000]) {
    const changedMs = performance.now();
    await service.replacePolicies(policiesWith(capacity));
    await until(`a capacity of ${capacity}`, async () => {
      const { headers } = await fetch(service.url);
      return headers.get('x-ratelimit-limit') === String(capacity);
    });
    tookMs.push(performance.now() - changedMs);
  }
  await service.stop();
  await load.over;
  expect([[...new Set(load.statuses)], load.lost, load.statuses.length > 50]).toEqual([[200], [], true]);
  expect(Math.min(...tookMs)).toBeLessThan(1000); // a busy machine only makes it longer
});
