// Replies that Redis never gave, while a request comes every 5 ms: they cost a moment on the fallback, and no answer. That
// is load enough for one service at a time.

import { afterAll, beforeAll, it } from 'vitest';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { expectRecovery, tampering } from '../../support/tampered-service.ts';

const everyMs = 5;

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

it.each(tampering)('%s costs a moment on the fallback', async (_what, tamper) => {
  await expectRecovery(redis, everyMs, tamper);
});

it('a reply too few costs a moment also when instances are not counted in Redis', async () => {
  await expectRecovery(redis, everyMs, (proxy) => proxy.swallow(), { INSTANCES: '1' });
});
