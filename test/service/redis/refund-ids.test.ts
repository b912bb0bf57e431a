// By which name Redis keeps the id of a refund.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLimit } from '../../../service/core/limit.ts';
import { type Take, takeOf } from '../../../service/core/store.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ConnectedStore, connectStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

let redis: RedisProcess;
let connection: ConnectedStore;
beforeAll(async () => {
  redis = await startRedis();
  connection = connectStore(redis.url, 10_000);
  await until('Redis', () => connection.store.ready);
});
afterAll(async () => {
  connection.close();
  await redis.stop();
});

const limitOf = (policy: string, capacity: number, windowSec: number) =>
  createLimit({
    name: policy,
    prefix: `${policy}/${windowSec}s/`,
    capacity,
    refillPerSecond: capacity / windowSec,
  });
const perDay = limitOf('job', 5, 86_400);
const perHour = limitOf('job', 5, 3600);

it('counts an id once for a policy and a key, whatever became of the limits of the policy in between', async () => {
  const { store } = connection;
  const isNew = async (take: Take) => (await store.giveBack({ take, amount: 'cost', id: 'order 7' })).isNew;
  expect(await isNew(takeOf([perDay], 'alice', 1))).toBe(true);
  for (const limits of [[perDay], [perHour, perDay], [limitOf('job', 9, 86_400)], [limitOf('job', 5, 60)]])
    expect(await isNew(takeOf(limits, 'alice', 1))).toBe(false);
  expect(await isNew(takeOf([perDay], 'bob', 1))).toBe(true);
  expect(await isNew(takeOf([limitOf('search', 5, 86_400)], 'alice', 1))).toBe(true);
});
