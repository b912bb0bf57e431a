import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { StoreError } from '../../../service/core/store.ts';
import { connect } from '../../../service/redis/connect.ts';
import { type SendCommand, secretsOf } from '../../../service/redis/options.ts';
import { startRedis } from '../../support/redis.ts';
import { unheard } from '../../support/redis-store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';
import { until } from '../../support/until.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const takeOf = takesOf(limitOf(5, 0.01));

/** Decides by somebody else's connection, a breaker before it. */
function shardBy(sendCommand: SendCommand) {
  const topology = connect(
    { kind: 'borrowed', sendCommand },
    {
      ...unheard,
      timeoutMs: 300, // a machine that stands still for a while is no Redis that hangs
      breakerResetMs: 100,
    },
  );
  ends.push(() => topology.close());
  const shard = topology.shardOf('key') as NonNullable<ReturnType<typeof topology.shardOf>>;
  /** The decision on one take, or the reason why the store has none. */
  const take = (key: string) =>
    shard.batcher.decide(takeOf(key)).catch((error: unknown) => (error as StoreError).reason);
  return { topology, shard, take };
}

describe("the application's own connection", () => {
  it('decides through whatever sends a command, and counts who shares the limit by it', async () => {
    const redis = await startRedis();
    ends.push(() => redis.stop());
    const client = new Redis(redis.url);
    ends.push(() => client.disconnect());
    const { topology, shard, take } = shardBy((command, ...args) => client.call(command as string, ...args));
    await until('Redis', () => shard.store.ready);
    expect(await take('one')).toMatchObject({ allowed: true, remaining: 4, mechanism: 'redis' });
    expect(await take('one')).toMatchObject({ allowed: true, remaining: 3 });
    expect(await topology.client.eval("return redis.call('EXISTS', KEYS[1])", 1, 'rl-instances')).toBe(0);
  });

  it('decides by a client that gives numbers as texts', async () => {
    const redis = await startRedis();
    ends.push(() => redis.stop());
    const client = new Redis(redis.url, { stringNumbers: true });
    ends.push(() => client.disconnect());
    const { shard, take } = shardBy((command, ...args) => client.call(command as string, ...args));
    await until('Redis', () => shard.store.ready);
    expect(await take('one')).toMatchObject({ allowed: true, remaining: 4, mechanism: 'redis' });
    expect(await take('one')).toMatchObject({ allowed: true, remaining: 3, mechanism: 'redis' });
  });

  it('is given up within the deadline when it hangs, and used again when it answers', async () => {
    const redis = await startRedis();
    ends.push(() => redis.stop());
    const client = new Redis(redis.url);
    ends.push(() => client.disconnect());
    const { shard, take } = shardBy((command, ...args) => client.call(command as string, ...args));
    await until('Redis', () => shard.store.ready);
    await take('one');
    process.kill(redis.pid, 'SIGSTOP');
    const sentMs = performance.now();
    expect([await take('two'), await take('two'), await take('two')]).toEqual(['timeout', 'timeout', 'timeout']);
    expect(performance.now() - sentMs).toBeLessThan(3000);
    expect(shard.breaker.state).toBe('open');
    process.kill(redis.pid, 'SIGCONT');
    await until('the breaker', () => shard.breaker.state === 'closed');
    expect(await take('two')).toMatchObject({ allowed: true, remaining: 4 }); // what came too late took nothing
  });

  it('is asked again from the start for as long as it is not there yet', async () => {
    let answers = false;
    const redis = await startRedis();
    ends.push(() => redis.stop());
    const { shard, take } = shardBy(async (command, ...args) => {
      if (!answers) throw new Error('ECONNREFUSED');
      return redis.admin.call(command as string, ...args);
    });
    await until('a first try', () => shard.store.ready);
    expect(await take('one')).toBeTypeOf('string');
    answers = true;
    await until('a decision', async () => typeof (await take('one')) === 'object');
  });

  it.each<[string, SendCommand]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects with nothing', () => Promise.reject()],
    ['never settles', () => new Promise(() => {})],
    ['answers something else', async () => 'OK'],
    ['answers no promise', () => 5 as never],
  ])('costs no more than its deadline when it %s', async (_, sendCommand) => {
    const { take } = shardBy(sendCommand);
    const sentMs = performance.now();
    expect(await take('one')).toBeTypeOf('string');
    expect(performance.now() - sentMs).toBeLessThan(3000);
  });

  it('has no secret that a message could show', () => {
    expect(secretsOf({ kind: 'borrowed', sendCommand: async () => undefined })).toEqual([]);
  });
});
