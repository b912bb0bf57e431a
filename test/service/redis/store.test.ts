import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { type Outcome, StoreError, type StoreErrorReason, type Take } from '../../../service/core/store.ts';
import type { RedisStore } from '../../../service/redis/store.ts';
import { startNonsense } from '../../support/nonsense.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ConnectedStore, connectStore } from '../../support/redis-store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';
import { until } from '../../support/until.ts';

const limit = limitOf(5, 0.001);
const take = takesOf(limit);
const connections: ConnectedStore[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});

/** A store with time enough that only what a test breaks can fail. */
function createStore(url: string, timeoutMs = 10_000): RedisStore {
  const connection = connectStore(url, timeoutMs);
  connections.push(connection);
  return connection.store;
}

async function connected(url: string, timeoutMs?: number): Promise<RedisStore> {
  const store = createStore(url, timeoutMs);
  await until('a connection', () => store.ready);
  await until('an answer', async () => (await reasonOf(store.probe())) === undefined);
  return store;
}

const one: Take[] = [take('a')];
/** What a take with nothing before it is told. */
const first: Outcome = {
  allowed: true,
  limit: 5,
  remaining: 4,
  retryAfterMs: 0,
  resetMs: 1_000_000,
  mechanism: 'redis',
  quota: limit.shared.quota,
};

/** Why the call fails; undefined when it doesn't. */
const reasonOf = (call: Promise<unknown>): Promise<StoreErrorReason | undefined> =>
  call.then(
    () => undefined,
    (error) => {
      if (error instanceof StoreError) return error.reason;
      throw error;
    },
  );

/** How many scripts Redis has run, those that took nothing included. */
async function scriptsRun({ admin }: RedisProcess): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
}

describe('RedisStore', () => {
  it('decides takes of several keys and costs in one script', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url);
    await store.decideMany(one); // loads the script
    const before = await scriptsRun(redis);
    const outcomes = await store.decideMany([take('b', 5), take('c')]);
    expect(outcomes).toEqual([{ ...first, remaining: 0, resetMs: 5_000_000 }, first]);
    expect(await scriptsRun(redis)).toBe(before + 1);
    expect((await redis.admin.keys('rl:?')).sort()).toEqual(['rl:a', 'rl:b', 'rl:c']);
  });

  it('answers a take after SCRIPT FLUSH, and counts it once', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url);
    expect(await store.decideMany(one)).toEqual([first]);
    await redis.admin.script('FLUSH');
    const [outcome] = await store.decideMany([take('b')]);
    expect(outcome).toEqual(first);
  });

  it('lets a key that holds something else harm itself alone', async () => {
    await using redis = await startRedis();
    await redis.admin.rpush('rl:list', 'x');
    await redis.admin.set('rl:word', 'x');
    const store = await connected(redis.url);
    const wrong = new StoreError('wrongtype', 'the key holds something that is not a bucket');
    const keys = ['a', 'list', 'b', 'word'];
    expect(await store.decideMany(keys.map((key) => take(key)))).toEqual([first, wrong, first, wrong]);
    expect([await redis.admin.lrange('rl:list', 0, -1), await redis.admin.get('rl:word')]).toEqual([['x'], 'x']);
  });

  it('is not ready before its first connection, and says why', async () => {
    const store = createStore('redis://127.0.0.1:1');
    expect(store.ready).toBe(false);
    expect(await reasonOf(store.decideMany(one))).toBe('disconnected');
    await until('the refusal', async () => (await reasonOf(store.decideMany(one))) === 'refused');
  });

  it('connects by itself when Redis appears', async () => {
    const port = await freePort();
    const store = createStore(`redis://127.0.0.1:${port}`);
    await until('the refusal', async () => (await reasonOf(store.decideMany(one))) === 'refused');
    await using _redis = await startRedis([], port);
    await until('a connection', () => store.ready);
    expect(await store.decideMany(one)).toEqual([first]);
  });

  it('connects again even when ioredis has given up', async () => {
    await using redis = await startRedis();
    const { store, client, close } = connectStore(redis.url, 10_000);
    connections.push({ store, client, close });
    await until('a connection', () => store.ready);
    client.disconnect(); // what it does to itself when a Sentinel announces a failover while it asks for the master
    await until('the loss', () => !store.ready);
    await until('a connection', () => store.ready);
    expect(await store.decideMany(one)).toEqual([first]);
  });

  it('starts afresh with another Redis in the same place, whatever its clock', async () => {
    const port = await freePort();
    let store: RedisStore;
    {
      await using _redis = await startRedis([], port);
      store = await connected(`redis://127.0.0.1:${port}`);
      expect(await store.decideMany(one)).toEqual([first]);
    }
    await until('the loss', () => !store.ready);
    await using _redis = await startRedis([], port);
    await until('a connection', () => store.ready);
    expect(await store.decideMany(one)).toEqual([first]);
  });
});

describe('RedisStore while Redis stands still', () => {
  /** Far longer than Redis takes on a busy machine, and far shorter than it stands still. */
  const timeoutMs = 300;
  /** Short of the silence for which a connection is given up. */
  const stillMs = 1200;

  it('gives up at the deadline', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url, timeoutMs);
    await store.decideMany(one);
    await redis.admin.client('PAUSE', 3000, 'ALL');
    let isOver = false;
    redis.admin.ping().then(
      () => {
        isOver = true;
      },
      () => {},
    );
    await expect(store.decideMany(one)).rejects.toEqual(new StoreError('timeout', 'no reply from Redis within 300 ms'));
    expect(isOver).toBe(false);
  });

  it('has no ghost takes after CLIENT PAUSE: what timed out is never taken', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url, timeoutMs);
    expect(await store.decideMany(one)).toEqual([first]);
    const held = await redis.admin.get('rl:a');
    const before = await scriptsRun(redis);

    await redis.admin.client('PAUSE', stillMs, 'ALL');
    const ghosts = ['a', 'ghost-1', 'ghost-2'];
    const calls = ghosts.map((key) => reasonOf(store.decideMany([take(key)])));
    expect(await Promise.all(calls)).toEqual(['timeout', 'timeout', 'timeout']);
    await redis.admin.ping(); // answered when the pause is over

    // Redis runs the three scripts all the same; waiting for the next on the same connection waits for them.
    await until('an answer', async () => (await reasonOf(store.probe())) === undefined);
    expect(await scriptsRun(redis)).toBeGreaterThanOrEqual(before + 3);
    expect(await redis.admin.mget('rl:a', 'rl:ghost-1', 'rl:ghost-2')).toEqual([held, null, null]);
    expect(await store.decideMany([take('a')])).toEqual([
      { ...first, remaining: 3, resetMs: expect.closeTo(2_000_000, -5) }, // less what has passed since the first
    ]);
  });

  it('has no ghost takes after DEBUG SLEEP either', async () => {
    await using redis = await startRedis(['--enable-debug-command', 'yes']);
    const store = await connected(redis.url, timeoutMs);
    await store.decideMany(one);
    const before = await scriptsRun(redis);

    const slept = redis.admin.call('DEBUG', 'SLEEP', stillMs / 1000);
    const keysOf = { answered: [] as string[], late: [] as string[] };
    await until('a timeout', async () => {
      const round = keysOf.answered.length;
      const keys = [1, 2, 3].map((n) => `key-${round}-${n}`);
      const reasons = await Promise.all(keys.map((key) => reasonOf(store.decideMany([take(key)]))));
      for (const [i, key] of keys.entries()) {
        expect([undefined, 'timeout', 'late']).toContain(reasons[i]);
        keysOf[reasons[i] === undefined ? 'answered' : 'late'].push(`rl:${key}`);
      }
      return keysOf.late.length > 0;
    });
    await slept;
    await until('an answer', async () => (await reasonOf(store.probe())) === undefined);
    expect(await scriptsRun(redis)).toBeGreaterThanOrEqual(before + keysOf.late.length + keysOf.answered.length);
    expect(await redis.admin.exists(keysOf.late)).toBe(0);
    expect(await redis.admin.exists(['rl:a', ...keysOf.answered])).toBe(1 + keysOf.answered.length);
  });

  it('has no ghost takes after SIGSTOP and SIGCONT', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url, timeoutMs);
    await store.decideMany(one);
    const before = await scriptsRun(redis);
    process.kill(redis.pid, 'SIGSTOP');
    try {
      expect(await reasonOf(store.decideMany([take('ghost')]))).toBe('timeout');
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    await until('an answer', async () => (await reasonOf(store.probe())) === undefined);
    expect(await scriptsRun(redis)).toBeGreaterThan(before);
    expect(await redis.admin.exists('rl:ghost')).toBe(0);
  });

  it('keeps its connection through a stall', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url, timeoutMs);
    const idsOf = async () => ((await redis.admin.client('LIST')) as string).match(/^id=\d+/gm);
    const before = await idsOf();
    await redis.admin.client('PAUSE', stillMs, 'ALL');
    for (let i = 0; i < 2; i++) expect(await reasonOf(store.decideMany(one))).toBe('timeout');
    await until('an answer', async () => (await reasonOf(store.decideMany(one))) === undefined);
    expect(await idsOf()).toEqual(before);
  });
});

/** Each way in which Redis itself can refuse, and how to make it so. */
interface Refusal {
  readonly reason: StoreErrorReason;
  readonly why: string;
  readonly breakIt: (redis: RedisProcess) => Promise<unknown>;
}
const refusals: Refusal[] = [
  {
    reason: 'readonly',
    why: 'it has become a replica',
    breakIt: ({ admin }) => admin.replicaof('127.0.0.1', 1),
  },
  {
    reason: 'masterdown',
    why: 'it is a replica that lost its master',
    breakIt: async ({ admin }) => {
      await admin.config('SET', 'replica-serve-stale-data', 'no');
      await admin.replicaof('127.0.0.1', 1);
    },
  },
  {
    reason: 'noreplicas',
    why: 'too few replicas listen',
    breakIt: ({ admin }) => admin.config('SET', 'min-replicas-to-write', 1),
  },
  {
    reason: 'oom',
    why: 'its memory is used up',
    breakIt: ({ admin }) => admin.config('SET', 'maxmemory', 1),
  },
  {
    reason: 'misconf',
    why: 'it cannot save',
    breakIt: async ({ admin, dir }) => {
      await mkdir(join(dir, 'gone'));
      await admin.config('SET', 'dir', join(dir, 'gone'), 'save', '3600 1');
      await rm(join(dir, 'gone'), { recursive: true });
      await admin.bgsave();
      await until('the failed save', async () =>
        (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'),
      );
    },
  },
  {
    reason: 'noperm',
    why: 'the user may not run scripts',
    breakIt: ({ admin }) => admin.call('ACL', 'SETUSER', 'default', '-evalsha'),
  },
  {
    reason: 'busy',
    why: 'another script does not end',
    breakIt: async ({ url, admin }) => {
      await admin.config('SET', 'busy-reply-threshold', 1);
      const other = new Redis(url);
      other.eval('while true do end', 0).catch(() => {}); // killed with its Redis
      await until('BUSY', () =>
        admin.ping().then(
          () => false,
          (error) => error.message.startsWith('BUSY'),
        ),
      );
      other.disconnect();
    },
  },
];

describe('RedisStore while Redis refuses', () => {
  for (const { reason, why, breakIt } of refusals) {
    it(`says ${reason} because ${why}`, async () => {
      await using redis = await startRedis(['--enable-protected-configs', 'yes']);
      const store = await connected(redis.url);
      await store.decideMany(one);
      await breakIt(redis);
      expect(await reasonOf(store.decideMany(one))).toBe(reason);
    });
  }

  for (const { reason, why, breakIt } of refusals) {
    it(`says ${reason} also to a store that connects only then, because ${why}`, async () => {
      await using redis = await startRedis(['--enable-protected-configs', 'yes']);
      await breakIt(redis);
      const store = createStore(redis.url);
      await until(reason, async () => (await reasonOf(store.decideMany(one))) === reason);
      const reasons = new Set<unknown>();
      for (let i = 0; i < 40; i++) {
        reasons.add(await reasonOf(store.decideMany(one)));
        await sleep(5);
      }
      expect([...reasons]).toEqual([reason]);
    });
  }

  it('does not connect again and again to a replica', async () => {
    await using redis = await startRedis();
    await redis.admin.replicaof('127.0.0.1', 1);
    const connects = async () => Number(/total_connections_received:(\d+)/.exec(await redis.admin.info('stats'))?.[1]);
    const before = await connects();
    const startMs = performance.now();
    const store = createStore(redis.url);
    for (let i = 0; i < 100; i++) {
      await Promise.all([reasonOf(store.decideMany(one)), reasonOf(store.probe())]);
      await sleep(10);
    }
    const made = (await connects()) - before;
    // The first, and then two a second at the most.
    expect(made).toBeLessThanOrEqual(2 + (2 * (performance.now() - startMs)) / 1000);
    expect(await reasonOf(store.decideMany(one))).toBe('readonly');
    await redis.admin.replicaof('NO', 'ONE');
    await until('a well Redis', async () => (await reasonOf(store.probe())) === undefined);
    expect(await reasonOf(store.decideMany(one))).toBeUndefined();
  });

  for (const { reason, why, breakIt } of refusals) {
    it(`has a probe that does not say all is well while ${why}`, async () => {
      await using redis = await startRedis(['--enable-protected-configs', 'yes']);
      const store = await connected(redis.url);
      await store.decideMany(one);
      await breakIt(redis);
      expect(await reasonOf(store.probe())).toBe(reason);
    });
  }

  it('has a probe that takes nothing', async () => {
    await using redis = await startRedis();
    const store = await connected(redis.url);
    await store.decideMany(one);
    const held = await redis.admin.get('rl:a');
    await store.probe();
    expect([await redis.admin.get('rl:a'), (await redis.admin.keys('rl:*')).includes('rl:a')]).toEqual([held, true]);
  });

  it('says noauth because it has no password', async () => {
    await using redis = await startRedis();
    await redis.admin.config('SET', 'requirepass', 'secret');
    const store = createStore(redis.url);
    await until('noauth', async () => (await reasonOf(store.decideMany(one))) === 'noauth');
  });

  it('says noauth because it has the wrong password', async () => {
    await using redis = await startRedis();
    await redis.admin.config('SET', 'requirepass', 'secret');
    const store = createStore(redis.url.replace('//', '//:wrong@'));
    await until('noauth', async () => (await reasonOf(store.decideMany(one))) === 'noauth');
  });

  it('takes with the right user, password and database', async () => {
    await using redis = await startRedis();
    await redis.admin.call('ACL', 'SETUSER', 'li@miter', 'on', '>p@ss:w/rd', '~rl:*', '+@all');
    const store = await connected(redis.url.replace('//', '//li%40miter:p%40ss%3Aw%2Frd@').concat('/3'));
    expect(await store.decideMany(one)).toEqual([first]);
    await redis.admin.select(3);
    expect(await redis.admin.keys('rl:a')).toEqual(['rl:a']);
  });

  it('says maxclients because Redis takes no more connections', async () => {
    await using redis = await startRedis();
    await redis.admin.config('SET', 'maxclients', 1);
    const store = createStore(redis.url);
    await until('maxclients', async () => (await reasonOf(store.decideMany(one))) === 'maxclients');
  });

  it('says loading while Redis reads its data set, and decides when it has', async () => {
    const port = await freePort();
    await using writer = await startRedis(['--enable-debug-command', 'yes']);
    await writer.admin.call('DEBUG', 'POPULATE', '5000');
    await writer.admin.save();
    // 5,000 keys at 4 ms each: loads until it is told to hurry.
    const slow = ['--dir', writer.dir, '--key-load-delay', '4000', '--loading-process-events-interval-bytes', '1024'];
    const store = createStore(`redis://127.0.0.1:${port}`);
    await using second = await startRedis(slow, port);
    await until('loading', async () => (await reasonOf(store.decideMany(one))) === 'loading');
    await second.admin.config('SET', 'key-load-delay', 0);
    await until('an answered probe', async () => (await reasonOf(store.probe())) === undefined);
    expect(await store.decideMany(one)).toEqual([first]);
  });

  it('says protocol because what answers does not speak Redis', async () => {
    await using server = await startNonsense('HTTP/1.1 400 Bad Request\r\n\r\n');
    const store = createStore(`redis://127.0.0.1:${server.port}`);
    await until('protocol', async () => (await reasonOf(store.decideMany(one))) === 'protocol');
  });

  it('says disconnected or refused, and never hangs, when Redis is killed under load', async () => {
    const redis = await startRedis();
    const store = await connected(redis.url);
    const reasons: (StoreErrorReason | undefined)[] = [];
    const load = (async () => {
      while (reasons.filter((it) => it !== undefined).length < 5) {
        reasons.push(await reasonOf(store.decideMany(one)));
        await new Promise(setImmediate);
      }
    })();
    await until('some answers', () => reasons.length > 10);
    await redis.kill();
    await load;
    const failed = reasons.filter((it) => it !== undefined);
    expect([failed.length, failed.filter((it) => it !== 'disconnected' && it !== 'refused')]).toEqual([5, []]);
  });
});
