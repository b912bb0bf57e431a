import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { readConfig } from '../../../service/config/env.ts';
import { Buckets } from '../../../service/core/buckets.ts';
import { Limiter } from '../../../service/core/limiter.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import type { Decision, StoreErrorReason } from '../../../service/core/store.ts';
import { connectCluster, tagOf, tags } from '../../../service/redis/cluster.ts';
import { metricsOf, readinessOf } from '../../support/readiness.ts';
import { startRedis } from '../../support/redis.ts';
import { type RedisCluster, startCluster } from '../../support/redis-cluster.ts';
import type { RedisNode } from '../../support/redis-nodes.ts';
import { ask, keyHeader, slowestMs, startRequestLoop, waitMsMax } from '../../support/request-loop.ts';
import { startService } from '../../support/service.ts';
import { limitOf, takesOf } from '../../support/takes.ts';
import { until } from '../../support/until.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** Time enough that only what a test breaks can fail, and far longer than anybody may wait for what is dead. */
const timeoutMs = 10_000;
/** So large, and so slow to refill, that the tokens left tell how many were taken. */
const take = takesOf(limitOf(1000, 0.001));

/** A limiter in this process; ready when it has found every master. */
async function connectLimiter() {
  const address = readConfig({ REDIS_CLUSTER_ADDRS: cluster.seeds }).redis;
  if (address.kind !== 'cluster') throw new Error('seeds are a cluster');
  const nowUs = () => performance.now() * 1000;
  const moves: string[] = [];
  const errors: StoreErrorReason[] = [];
  const topology = connectCluster(address, {
    timeoutMs,
    nowUs,
    breakerFailures: 3,
    breakerResetMs: 200,
    keysMax: 1000,
    onConnection: () => {},
    instances: () => 1,
    onAnswer: () => {},
    onError: (reason) => errors.push(reason),
    onTransition: (shard, from, to) => moves.push(`${shard} ${from} -> ${to}`),
  });
  const fallback = new LocalStore({ keysMax: 1000, nowUs });
  const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
  const buckets = new Buckets({ topology, fallback, limiter, onForgiven: async () => {} });
  await until('three masters', () => topology.shards.filter(({ store }) => store.ready).length === 3);
  return { limiter, buckets, topology, moves, errors, [Symbol.dispose]: topology.close };
}

const serviceEnv = () => ({
  REDIS_CLUSTER_ADDRS: cluster.seeds,
  KEY_HEADER: keyHeader,
  RATE_LIMIT: '10000', // nobody is refused
  RATE_LIMIT_BURST: '10000',
  RATE_LIMIT_WINDOW_SEC: '86400', // and every bucket stays to be found
  REDIS_TIMEOUT_MS: String(timeoutMs), // for the machine's sake: what is dead is refused at once, and nobody waits for it
  BREAKER_RESET_MS: '200',
});

const namesOf = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

/** Buckets of the keys that begin so, as each live master holds them. */
async function bucketsOf(prefix: string): Promise<{ master: RedisNode; names: string[] }[]> {
  const masters = await cluster.masters();
  return Promise.all(
    masters.map(async (master) => ({ master, names: await master.admin.keys(`rl:{*}:*${prefix}-*`) })),
  );
}

/** How many scripts the masters have run. */
async function scriptsRun(): Promise<number> {
  const pages = await Promise.all((await cluster.masters()).map(({ admin }) => admin.info('commandstats')));
  return pages.reduce((sum, page) => sum + Number(/cmdstat_evalsha:calls=(\d+)/.exec(page)?.[1] ?? 0), 0);
}

/** Whether the living nodes are kept from taking over from a dead master. */
async function holdFailover(held: boolean): Promise<void> {
  for (const { admin } of cluster.nodes) {
    if (admin.status === 'ready') await admin.config('SET', 'cluster-replica-no-failover', held ? 'yes' : 'no');
  }
}

/** Kills a master, which lives again at the end of the test at the latest: the next one has a whole cluster. */
async function killed(master: RedisNode): Promise<AsyncDisposable & { restart(): Promise<void> }> {
  await master.kill();
  let restarted: Promise<void> | undefined;
  const restart = () => {
    restarted ??= master.restart();
    return restarted;
  };
  return {
    restart,
    [Symbol.asyncDispose]: async () => {
      await restart();
      await holdFailover(false);
      await cluster.healthy();
    },
  };
}

const mechanismsOf = (decisions: readonly Decision[]) => [...new Set(decisions.map(({ mechanism }) => mechanism))];

describe('a limiter over Redis Cluster', () => {
  it('goes to the host that was asked where a redirection names none, and else to the one that it names', async () => {
    using it = await connectLimiter();
    const [slot, [owner = '']] = Object.entries(it.topology.client.slots)[0] as [string, string[]];
    const host = owner.replace(/:\d+$/, '');
    const told: unknown[] = [];
    const handlers = { moved: (...to: unknown[]) => told.push(to), ask: (...to: unknown[]) => told.push(to) };
    for (const to of ['MOVED SLOT :6381', 'ASK SLOT :6381', 'MOVED SLOT other:6381', 'MOVED SLOT ::1:6381'])
      it.topology.client.handleError(new Error(to.replace('SLOT', slot)), {}, handlers);
    expect(told).toEqual([
      [Number(slot), `${host}:6381`],
      [slot, `${host}:6381`],
      [Number(slot), 'other:6381'],
      [Number(slot), '::1:6381'],
    ]);
  });

  it('spreads keys over all masters by hash tags and sends the takes of one turn in one script for each tag', async () => {
    using it = await connectLimiter();
    const keys = namesOf('spread', 300);
    const before = await scriptsRun();
    const decisions = await Promise.all(keys.map((key) => it.limiter.decide(take(key))));
    expect(mechanismsOf(decisions)).toEqual(['redis']);
    expect((await scriptsRun()) - before).toBe(tags.length);
    const buckets = await bucketsOf('spread');
    const all = buckets.flatMap(({ names }) => names);
    expect(all.map((name) => name.replace(/^rl:\{\d+\}:/, '')).sort()).toEqual([...keys].sort());
    expect(new Set(all.map((name) => name.replace(/:.*/s, ''))).size).toBeLessThanOrEqual(tags.length);
    for (const { names } of buckets) expect(names.length).toBeGreaterThan(50);
  });

  it('gives back and fills the buckets of every master, each id once, although several keys of a script share a slot', async () => {
    using it = await connectLimiter();
    const { limiter, buckets } = it;
    const keys = namesOf('returned', 60);
    const left = (of: readonly Decision[]) => [
      ...new Set(of.map(({ mechanism, remaining }) => `${mechanism} ${remaining}`)),
    ];
    await Promise.all(keys.map((key) => limiter.decide(take(key, 1000))));
    const refunds = await Promise.all([...keys, ...keys].map((key) => buckets.refund(take(key, 300), 'the id')));
    expect(refunds.map(({ isNew }) => isNew)).toEqual([...keys.map(() => true), ...keys.map(() => false)]);
    expect(left(await Promise.all(keys.map((key) => buckets.look(take(key)))))).toEqual(['redis 300']);
    expect(left(await Promise.all(keys.map((key) => limiter.decide(take(key)))))).toEqual(['redis 299']);
    await Promise.all(keys.map((key) => buckets.reset(take(key))));
    expect(left(await Promise.all(keys.map((key) => limiter.decide(take(key)))))).toEqual(['redis 999']);
  });

  it('goes on deciding in Redis, and counts nothing twice, while a slot moves to another master', async () => {
    using it = await connectLimiter();
    const { limiter, errors, moves } = it;
    await Promise.all(namesOf('moving', 200).map((key) => limiter.decide(take(key))));
    const buckets = await bucketsOf('moving');
    const [from, to] = [buckets[0], buckets[1]];
    if (!from || !to) throw new Error('three masters hold buckets');
    const tag = /\{\d+\}/.exec(from.names[0] ?? '')?.[0] as string;
    const keys = from.names.filter((name) => name.includes(tag)).map((name) => name.replace(/^rl:\{\d+\}:/, ''));
    const slot = await from.master.admin.cluster('KEYSLOT', tag);
    const [fromId, toId] = [await cluster.idOf(from.master), await cluster.idOf(to.master)];

    const taken = new Map(keys.map((key) => [key, 1]));
    const fresh = namesOf('moving-fresh', 2000)
      .filter((key) => tag === `{${tagOf(key)}}`)
      .values();
    const decisions: Decision[] = [];
    /** One turn: every key of the slot, and one that nobody had before. */
    const turn = async () => {
      const turnKeys = [...taken.keys(), fresh.next().value as string];
      for (const decision of await Promise.all(turnKeys.map((key) => limiter.decide(take(key)))))
        decisions.push(decision);
      for (const key of turnKeys) taken.set(key, (taken.get(key) ?? 0) + 1);
    };
    await turn();
    await to.master.admin.cluster('SETSLOT', slot, 'IMPORTING', fromId);
    await from.master.admin.cluster('SETSLOT', slot, 'MIGRATING', toId);
    await turn();
    for (;;) {
      const [name] = (await from.master.admin.cluster('GETKEYSINSLOT', slot, 1)) as string[];
      if (name === undefined) break;
      await from.master.admin.migrate('127.0.0.1', to.master.port, name, 0, timeoutMs);
      await turn();
    }
    await turn();
    for (const { admin } of [to.master, from.master]) await admin.cluster('SETSLOT', slot, 'NODE', toId);
    await turn();
    await until('the new owner to be known', () => it.topology.shardOf(keys[0] as string)?.name === to.master.address);
    await turn();

    expect({ mechanisms: mechanismsOf(decisions), moves, errors }).toEqual({
      mechanisms: ['redis'],
      moves: [],
      errors: [],
    });
    expect(taken.size).toBeGreaterThan(20);
    const left = await Promise.all([...taken.keys()].map((key) => limiter.decide(take(key))));
    expect(left.map(({ remaining }) => remaining)).toEqual([...taken.values()].map((count) => 1000 - count - 1));
    expect(await from.master.admin.keys(`rl:${tag}:moving-*`)).toEqual([]);
  });
});

describe('the service over Redis Cluster', () => {
  it('counts the instances that share the limit, and no more of those that stopped', async () => {
    await using one = await startService(serviceEnv());
    await using two = await startService(serviceEnv());
    const counts = async () => [(await readinessOf(one)).instances, (await readinessOf(two)).instances];
    await until('both to count two', async () => String(await counts()) === '2,2');
    await two.stop();
    await until('one to count itself alone', async () => (await readinessOf(one)).instances === 1);
  });

  it('keeps a dead master to its own keys, which come back with the failover', async () => {
    await using service = await startService(serviceEnv());
    const keys = namesOf('killed', 60);
    await until('every master', async () => (await readinessOf(service)).mechanism === 'redis');
    await using load = startRequestLoop(service.url, keys);
    await until('every key to be seen', () => load.newest().size === keys.length);
    const buckets = await bucketsOf('killed');
    const dead = buckets[0] as (typeof buckets)[number];
    const alive = buckets.slice(1).map(({ master }) => master.address);
    const deadKeys = dead.names.map((name) => name.replace(/^rl:\{\d+\}:key:/, ''));
    const before = load.answers.length;
    await holdFailover(true);
    await using _killed = await killed(dead.master);
    const newest = (key: string) => load.newest().get(key)?.mechanism;
    await until('the fallback', () => deadKeys.every((key) => newest(key) === 'fallback'));
    const whileDead = await metricsOf(service, 'rate_limit_breaker_state');
    await holdFailover(false);
    await until('the failover', () => deadKeys.every((key) => newest(key) === 'redis'));
    const answers = (await load.stop()).slice(before);

    const others = answers.filter(({ key }) => !deadKeys.includes(key));
    expect(new Set(others.map(({ mechanism }) => mechanism))).toEqual(new Set(['redis']));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(slowestMs(answers)).toBeLessThan(waitMsMax);
    expect(whileDead['state="closed"']).toBe(2);
    expect((whileDead['state="open"'] ?? 0) + (whileDead['state="half-open"'] ?? 0)).toBe(1);
    expect(await metricsOf(service, 'rate_limit_breaker_state')).toEqual({
      'state="closed"': 3,
      'state="open"': 0,
      'state="half-open"': 0,
    });
    const { mechanism, breaker } = await readinessOf(service);
    expect({ mechanism, state: breaker.state, first: breaker.transitions[0] }).toEqual({
      mechanism: 'redis',
      state: 'closed',
      first: { atMs: expect.any(Number), shard: dead.master.address, from: 'closed', to: 'open' },
    });
    // What took over may say CLUSTERDOWN for a moment, and then has a breaker that moves, too.
    expect(breaker.transitions.filter(({ shard }) => alive.includes(shard))).toEqual([]);
  });

  it('finds its way by the other nodes where the name of one does not resolve', async () => {
    const seeds = `no-such-host.invalid:6379,${cluster.seeds}`;
    await using service = await startService({ ...serviceEnv(), REDIS_CLUSTER_ADDRS: seeds });
    await until('every master', async () => (await readinessOf(service)).mechanism === 'redis');
    expect((await readinessOf(service)).causes).toEqual([]);
  });

  it.each([
    ['no node can be asked', undefined, 'refused', /^connect ECONNREFUSED/],
    ['the nodes know no master', ['--cluster-enabled', 'yes'], 'clusterdown', /^nobody owns 16 of the 16 slots/],
  ] as const)('counts why nobody is asked while %s', async (_, args, reason, message) => {
    const port = await freePort();
    await using _node = args && (await startRedis(args, port));
    await using service = await startService({ ...serviceEnv(), REDIS_CLUSTER_ADDRS: `127.0.0.1:${port}` });
    const counted = async () => (await metricsOf(service, 'rate_limit_store_errors_total'))[`reason="${reason}"`] ?? 0;
    await until('two attempts', async () => (await counted()) >= 2);
    expect((await ask(service.url, 'nobody')).mechanism).toBe('fallback');
    expect(Object.values(await metricsOf(service, 'rate_limit_breaker_state'))).toEqual([0, 0, 0]);
    const { mechanism, breaker, causes } = await readinessOf(service);
    expect([mechanism, breaker.state, causes]).toEqual([
      'fallback',
      'closed',
      [{ shard: `cluster by 127.0.0.1:${port}`, reason, message: expect.stringMatching(message) }],
    ]);
  });

  it('takes back a master that is started again before any replica took over', async () => {
    await using service = await startService(serviceEnv());
    const keys = namesOf('restarted', 60);
    await until('every master', async () => (await readinessOf(service)).mechanism === 'redis');
    await Promise.all(keys.map((key) => ask(service.url, key)));
    const buckets = await bucketsOf('restarted');
    const dead = buckets[0] as (typeof buckets)[number];
    const deadKeys = dead.names.map((name) => name.replace(/^rl:\{\d+\}:key:/, ''));
    await holdFailover(true);
    await using load = startRequestLoop(service.url, keys);
    const newest = (key: string) => load.newest().get(key)?.mechanism;
    await using master = await killed(dead.master);
    await until('the fallback', () => deadKeys.every((key) => newest(key) === 'fallback'));
    await master.restart();
    await until('Redis again', () => deadKeys.every((key) => newest(key) === 'redis'));
    const answers = await load.stop();
    const others = answers.filter(({ key }) => !deadKeys.includes(key));
    expect(new Set(others.map(({ mechanism }) => mechanism))).toEqual(new Set(['redis']));
    expect((await cluster.masters()).map(({ port }) => port)).toContain(dead.master.port);
    expect((await readinessOf(service)).breaker.transitions.at(-1)).toMatchObject({
      shard: dead.master.address,
      from: 'half-open',
      to: 'closed',
    });
  });

  it('outlives the whole cluster, and joins it when it is back', async () => {
    await using service = await startService(serviceEnv());
    const keys = namesOf('all', 20);
    const mechanisms = async () =>
      String([...new Set((await Promise.all(keys.map((key) => ask(service.url, key)))).map((it) => it.mechanism))]);
    await until('Redis to decide', async () => (await mechanisms()) === 'redis');
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await until('the fallback', async () => (await mechanisms()) === 'fallback');
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await until('Redis again', async () => (await mechanisms()) === 'redis');
  });
});
