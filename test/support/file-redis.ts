// One Redis for all tests of a file, emptied before each.

import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisProcess, startRedis } from './redis.ts';

/** Called at the top of the file; what it gives is there in its tests. */
export function redisOfFile(): Pick<RedisProcess, 'url' | 'admin'> {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(() => redis.admin.flushall());
  return {
    get url() {
      return redis.url;
    },
    get admin() {
      return redis.admin;
    },
  };
}
