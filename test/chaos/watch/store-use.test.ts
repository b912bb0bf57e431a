import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import type { Instance } from '../../../chaos/environment.ts';
import { storeUseOf, usesIn } from '../../../chaos/watch/store-use.ts';
import { startRedis } from '../../support/redis.ts';

const zero = { us: 0, epochMs: 0 };

function environmentAt(port: number) {
  const storeLink = { proxy: undefined, host: '127.0.0.1', port };
  const control: Instance = { name: 'limiter-control', control: true, frontUrl: '', url: '', storeLink };
  return { instances: [control] };
}

it('counts what a Redis was told, and not who only looked at it', async () => {
  await using redis = await startRedis();
  const uses = async () => (await storeUseOf(environmentAt(redis.port), zero)).map(({ commands }) => commands);
  expect(await uses()).toEqual([0]);
  const client = new Redis(redis.port, { lazyConnect: true });
  await client.connect();
  await client.ping();
  await client.config('GET', 'maxmemory');
  expect(await uses()).toEqual([0]);
  await client.eval("return redis.call('INCR', KEYS[1])", 1, 'k');
  client.disconnect();
  expect(await uses()).toEqual([2]);
});

it('says nothing where nobody answers, or the lab has no way', async () => {
  expect(await storeUseOf(environmentAt(1), zero)).toEqual([]);
  expect(await storeUseOf(environmentAt(0), zero)).toEqual([]);
});

it('leaves out commands of a command', () => {
  expect(usesIn('cmdstat_client|setinfo:calls=4,usec=1\r\ncmdstat_hset:calls=3,usec=2,usec_per_call=0.6\r\n')).toBe(3);
});
