// The limiters of npm in the box, each as its program, on a Redis of the test's own.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundsFor, boundsOf } from '../../../chaos/bounds.ts';
import { startLimiter } from '../../../chaos/drivers/native-limiter.ts';
import { loopback, NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { givenBy } from '../../../chaos/targets/first-look.ts';
import { targetOf } from '../../../chaos/targets/index.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const named = (target: string) => targetOf({ target, variables: [], directory: '/' });
const names = [
  'express-rate-limit',
  'express-rate-limit-pass-on-store-error',
  'rate-limiter-flexible',
  'rate-limiter-flexible-insured',
];
const settings = { RATE_LIMIT: '10', RATE_LIMIT_WINDOW_SEC: '60', RATE_LIMIT_BURST: '4', INSTANCES: '2' };

let directory: ReturnType<typeof temporaryDirectory>;
let parts: NativeParts;
let redis: RedisProcess;

beforeEach(async () => {
  directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'logs'));
  parts = NativeParts.create(join(directory.path, 'logs'));
  redis = await startRedis();
});
afterEach(async () => {
  await parts[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** The address of an instance. */
async function started(target: string, name = 'limiter-1'): Promise<string> {
  const port = String(await freePort());
  const url = `http://${loopback}:${port}`;
  const told = {
    ...settings,
    KEY_HEADER: 'x-key',
    HOST: loopback,
    PORT: port,
    REDIS_ADDR: `${loopback}:${redis.port}`,
  };
  await startLimiter(parts, named(target), name, told, url);
  return url;
}

/** The statuses of so many takes of one key, one after the other. */
async function takes(url: string, count: number, key = 'a'): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await fetch(url, { headers: { 'x-key': key } })).status);
  return statuses;
}
const times = (count: number, status: number) => Array.from({ length: count }, () => status);

describe.each(names)('%s', (name) => {
  it('admits the limit of a key over two instances, denies more, and tells what remains', async () => {
    const [one, other] = [await started(name), await started(name, 'limiter-2')];
    expect(await takes(one, 6)).toEqual(times(6, 200));
    expect(await takes(other, 6)).toEqual([...times(4, 200), 429, 429]);
    expect(await takes(one, 2)).toEqual([429, 429]);
    expect(await takes(one, 1, 'b')).toEqual([200]);
    expect(await givenBy(named(name), one)).toEqual(['remaining']);
  });
});

describe('without Redis, to which connections are refused,', () => {
  it('rate-limiter-flexible answers with an error, and insured by its own memory', async () => {
    const [plain, insured] = [
      await started('rate-limiter-flexible'),
      await started('rate-limiter-flexible-insured', 'limiter-2'),
    ];
    await redis.kill();
    expect(await takes(plain, 3)).toEqual(times(3, 500));
    expect(await takes(insured, 6)).toEqual([...times(4, 200), 429, 429]);
  });

  it('express-rate-limit answers with an error when ioredis gives up, and lets pass where it is to', async () => {
    const [plain, passing] = [
      await started('express-rate-limit'),
      await started('express-rate-limit-pass-on-store-error', 'limiter-2'),
    ];
    await redis.kill();
    expect(await Promise.all([takes(plain, 1), takes(passing, 1)])).toEqual([[500], [200]]);
  });
});

it.each([
  ['express-rate-limit', { capacity: 20, fallbackCapacity: 0, fallbackRefillPerSecond: 0 }],
  ['rate-limiter-flexible', { capacity: 20, fallbackCapacity: 0, fallbackRefillPerSecond: 0 }],
  ['rate-limiter-flexible-insured', { capacity: 20, fallbackCapacity: 8 }],
  ['bare', {}],
])('%s is held to two windows of its limit at once, and to no fallback that it has not', (name, bounds) => {
  expect(boundsFor(named(name), settings)).toEqual({ ...boundsOf(settings), leastCapacity: 10, ...bounds });
});
