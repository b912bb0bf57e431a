import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import type { Instance } from '../../../chaos/environment.ts';
import { controlUse, SharedUse, usesIn } from '../../../chaos/watch/store-use.ts';
import { startRedis } from '../../support/redis.ts';

const zero = { us: 0, epochMs: 0 };

function environmentAt(port: number) {
  const storeLink = { proxy: undefined, host: '127.0.0.1', port };
  const control: Instance = { name: 'limiter-control', control: true, frontUrl: '', url: '', storeLink };
  return { instances: [control] };
}

it('counts what a Redis was told, and not who only looked at it', async () => {
  await using redis = await startRedis();
  const uses = async () => (await controlUse(environmentAt(redis.port), zero)).map(({ commands }) => commands);
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
  expect(await controlUse(environmentAt(1), zero)).toEqual([]);
  expect(await controlUse(environmentAt(0), zero)).toEqual([]);
});

it('looks at the shared Redis one look at a time, and says nothing while that does not answer', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const replies = [Promise.resolve('cmdstat_eval:calls=7,usec=1\r\n'), promise, Promise.reject(new Error('away'))];
  const use = new SharedUse({ command: async () => replies.shift() });
  expect(await use.look(zero)).toMatchObject([{ type: 'store-use', instance: 'redis', commands: 7 }]);
  const slow = use.look(zero);
  expect(await use.look(zero)).toEqual([]);
  resolve('');
  expect(await slow).toMatchObject([{ commands: 0 }]);
  expect(await use.look(zero)).toEqual([]);
});

it('does not look at a Redis of several nodes, nor where the lab has no way', async () => {
  const command = async () => 'cmdstat_eval:calls=7,usec=1';
  expect(await new SharedUse({ command, nodes: [] }).look(zero)).toEqual([]);
  expect(await new SharedUse({}).look(zero)).toEqual([]);
});

it('leaves out commands of a command', () => {
  expect(usesIn('cmdstat_client|setinfo:calls=4,usec=1\r\ncmdstat_hset:calls=3,usec=2,usec_per_call=0.6\r\n')).toBe(3);
});
