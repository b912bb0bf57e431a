import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import type { Instance } from '../../../chaos/environment.ts';
import { controlUse, SharedUse, usersIn, usesIn } from '../../../chaos/watch/store-use.ts';
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
  const use = new SharedUse({ redis: { command: async () => replies.shift() }, instances: [] });
  expect(await use.look(zero)).toMatchObject([{ type: 'store-use', instance: 'redis', commands: 7 }]);
  const slow = use.look(zero);
  expect(await use.look(zero)).toEqual([]);
  resolve('');
  expect(await slow).toMatchObject([{ commands: 0 }]);
  expect(await use.look(zero)).toEqual([]);
});

it('does not look at a Redis of several nodes, nor where the lab has no way', async () => {
  const command = async () => 'cmdstat_eval:calls=7,usec=1';
  expect(await new SharedUse({ redis: { command, nodes: [] }, instances: [] }).look(zero)).toEqual([]);
  expect(await new SharedUse({ redis: {}, instances: [] }).look(zero)).toEqual([]);
});

it('tells which instance had just used the shared Redis, where each arrives at an address of its own', async () => {
  await using redis = await startRedis(['--bind', '127.0.0.1 127.0.1.1 127.0.1.2']);
  const instances = [1, 2].map((i) => {
    const storeLink = { proxy: undefined, host: '127.0.0.1', port: redis.port, arrivesAt: `127.0.1.${i}` };
    return { name: `limiter-${i}`, control: false, frontUrl: '', url: '', storeLink };
  });
  const lab = new Redis(redis.port, { lazyConnect: true });
  const [one, two] = [1, 2].map((i) => new Redis(redis.port, `127.0.1.${i}`, { lazyConnect: true })) as [Redis, Redis];
  try {
    await Promise.all([lab.connect(), one.connect(), two.connect()]);
    const use = new SharedUse({ redis: { command: (name, ...args) => lab.call(name, ...args) }, instances });
    const commands = async () =>
      Object.fromEntries((await use.look(zero)).map(({ instance, commands }) => [instance, commands]));
    await two.ping();
    expect(await commands()).toEqual({ redis: 0, 'limiter-1': 0, 'limiter-2': 0 });
    await one.incr('k');
    expect(await commands()).toEqual({ redis: 1, 'limiter-1': 1, 'limiter-2': 0 });
    await two.incr('k');
    expect(await commands()).toEqual({ redis: 2, 'limiter-1': 2, 'limiter-2': 1 });
    await one.ping(); // now it only looks
    expect(await commands()).toEqual({ redis: 2, 'limiter-1': 2, 'limiter-2': 2 });
  } finally {
    for (const client of [lab, one, two]) client.disconnect();
  }
});

it('takes a connection that was not used for 2 s, or never, for unused', () => {
  const line = (laddr: string, idle: number, cmd: string) =>
    `id=3 addr=127.0.0.1:4 laddr=${laddr}:6379 name= age=9 idle=${idle} flags=N cmd=${cmd} user=default\n`;
  const list = [line('127.0.1.1', 1, 'evalsha'), line('127.0.1.2', 2, 'evalsha'), line('127.0.1.3', 0, 'NULL')];
  expect([...usersIn([...list, line('127.0.1.4', 0, 'client|setinfo')].join(''))]).toEqual(['127.0.1.1']);
});

it('leaves out commands of a command', () => {
  expect(usesIn('cmdstat_client|setinfo:calls=4,usec=1\r\ncmdstat_hset:calls=3,usec=2,usec_per_call=0.6\r\n')).toBe(3);
});
