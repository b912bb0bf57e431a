import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { startRedis } from '../../../chaos/drivers/native-redis.ts';
import type { Environment, NodeHandle } from '../../../chaos/environment.ts';
import type { Fault } from '../../../chaos/faults/fault.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { labSlot } from '../../../chaos/faults/topology/nodes.ts';
import type { Topology } from '../../../chaos/scenario.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { environmentOfRedis } from '../../support/environments.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

const shared = { name: 'redis', instance: undefined };
const keys = Array.from({ length: 200 }, (_, i) => `key-{${i % 20}}-${i}`);

async function started(topology: Topology, parts: NativeParts): Promise<Environment> {
  const redis = await startRedis[topology]({ parts, command: 'redis-server', name: topology, replicated: true });
  return environmentOfRedis(parts, redis);
}

const all = new AsyncDisposableStack();
let parts: NativeParts;
beforeAll(() => {
  const logs = join(all.use(temporaryDirectory()).path, 'logs');
  mkdirSync(logs);
  parts = all.use(NativeParts.create(logs));
  parts.broken.catch(() => {});
});
afterAll(() => all.disposeAsync());

const seenIn = async (environment: Environment, fault: Fault) =>
  (await probeLinks(environment, fault, [shared], 'broken', zeroIn(0))).map(({ seen }) => seen).join();

describe('a cluster', () => {
  let environment: Environment;
  let nodes: readonly NodeHandle[];
  beforeAll(async () => {
    environment = await started('cluster', parts);
    nodes = environment.redis.nodes ?? [];
  });

  /** What a client gets that asks one node, and goes where it is sent, once. */
  async function ask(node: NodeHandle, ...command: [string, ...string[]]): Promise<{ reply: unknown; sent: string }> {
    try {
      return { reply: await node.command(...command), sent: '' };
    } catch (error) {
      const [word = '', , address] = (error as Error).message.split(' ');
      const next = nodes.find((it) => it.address === address);
      if (!next || (word !== 'MOVED' && word !== 'ASK')) throw error;
      if (word === 'ASK') await next.command('ASKING');
      return { reply: await next.command(...command), sent: word };
    }
  }

  /** The value of each key, by way of the first master, and the words by which that sent elsewhere. */
  async function read(): Promise<{ values: readonly unknown[]; sent: ReadonlySet<string> }> {
    const [first] = nodes as readonly [NodeHandle];
    const asked = [];
    for (const key of keys) asked.push(await ask(first, 'GET', key));
    return { values: asked.map(({ reply }) => reply), sent: new Set(asked.map(({ sent }) => sent)) };
  }

  async function write(): Promise<void> {
    for (const key of keys) await ask(nodes[0] as NodeHandle, 'SET', key, key, 'PX', '600000');
  }

  const slotsOfFirst = async (node: NodeHandle) =>
    String(await node.command('CLUSTER', 'NODES'))
      .split('\n')
      .find((line) => line.includes(nodes[0]?.address ?? ''))
      ?.replace(/.* connected /, '');

  it('loses no key while slots move: MOVED and ASK lead to each of them, and afterwards all are where they were', async () => {
    const fault = faultOf({ kind: 'slot-migration', slots: 4 });
    const seen = () => seenIn(environment, fault);
    const owned = await slotsOfFirst(nodes[0] as NodeHandle);
    await write();
    await fault.inject(environment, shared);
    expect([await seen(), await seen()]).toEqual(['broken', 'broken']);
    const meanwhile = await read();
    expect(meanwhile.values).toEqual(keys);
    expect([...meanwhile.sent].sort()).toEqual(['', 'ASK', 'MOVED']);
    await fault.heal(environment, shared);
    await fault.heal(environment, shared); // safe to repeat
    expect(await seen()).toBe('healthy');
    expect((await read()).values).toEqual(keys);
    for (const node of nodes) await until('the former owner', async () => (await slotsOfFirst(node)) === owned);
  });

  it('refuses every command while a slot has no master, and knows what it knew afterwards', async () => {
    const fault = faultOf({ kind: 'cluster-down' });
    const seen = () => seenIn(environment, fault);
    await write();
    expect(await seen()).toBe('healthy');
    await fault.inject(environment, shared);
    expect([await seen(), await seen()]).toEqual(['broken', 'broken']);
    for (const node of nodes)
      for (const key of keys.slice(0, 20)) await expect(node.command('GET', key)).rejects.toThrow('CLUSTERDOWN');
    await fault.heal(environment, shared);
    await fault.heal(environment, shared); // safe to repeat
    expect(await seen()).toBe('healthy');
    expect((await read()).values).toEqual(keys);
    const coverage = await nodes[0]?.command('CONFIG', 'GET', 'cluster-require-full-coverage');
    expect(coverage).toEqual(['cluster-require-full-coverage', 'no']);
    expect(String(await nodes[5]?.command('CLUSTER', 'COUNTKEYSINSLOT', String(labSlot)))).toBe('0');
  });

  it('that nobody watches has no failover that the Sentinels would plan, and the fault says so', async () => {
    for (const spec of [{ kind: 'planned-failover' }, { kind: 'stale-failover', lagMs: 100 }])
      await expect(faultOf(spec).inject(environment, shared)).rejects.toThrow('No Sentinel watches the Redis here');
  });
});

describe('a master under Sentinels', () => {
  let environment: Environment;
  const masters = async () => [...new Set(await environment.redis.failover?.named())];
  const value = async (at: number) => environment.redis.nodes?.[at]?.command('GET', 'key');
  beforeAll(async () => {
    environment = await started('sentinel', parts);
  });

  it('gives its role to the replica as planned, and follows it', async () => {
    const fault = faultOf({ kind: 'planned-failover' });
    const [first, second] = environment.redis.nodes ?? [];
    expect([await masters(), await seenIn(environment, fault)]).toEqual([[first?.address], 'healthy']);
    await first?.command('SET', 'key', 'before');
    await until('a replica in step', async () => (await value(1)) === 'before');
    await fault.inject(environment, shared);
    expect(await seenIn(environment, fault)).toBe('broken');
    expect(await masters()).toEqual([second?.address]);
    await expect(first?.command('SET', 'key', 'too late')).rejects.toThrow('READONLY');
    await fault.heal(environment, shared);
    expect(await seenIn(environment, fault)).toBe('healthy');
    await second?.command('SET', 'key', 'after');
    await until('a former master in step', async () => (await value(0)) === 'after');
    expect(await seenIn(environment, fault)).toBe('healthy');
  });

  it('is replaced by a replica that had not heard of its last writes', async () => {
    // The roles are those that the test before has left: back to those of the start, by the same fault.
    const back = faultOf({ kind: 'planned-failover' });
    await back.inject(environment, shared);
    await back.heal(environment, shared);
    const fault = faultOf({ kind: 'stale-failover', lagMs: 300 });
    const [first, second] = environment.redis.nodes ?? [];
    await first?.command('SET', 'key', 'old');
    await until('a replica in step', async () => (await value(1)) === 'old');
    const injected = fault.inject(environment, shared);
    await until('a replica that follows nobody', async () => {
      const role = await second?.command('ROLE');
      return Array.isArray(role) && role[2] === 1;
    });
    await first?.command('SET', 'key', 'new');
    await injected;
    expect(await seenIn(environment, fault)).toBe('broken');
    await until('the replica as master', async () => (await masters()).join() === second?.address);
    expect(await value(1)).toBe('old');
    await fault.heal(environment, shared);
    await fault.heal(environment, shared); // safe to repeat
    await until('a healthy node', async () => (await seenIn(environment, fault)) === 'healthy');
  });

  it('has no slots to move or to lose, and the fault says so', async () => {
    for (const spec of [{ kind: 'cluster-down' }, { kind: 'slot-migration', slots: 1 }])
      await expect(faultOf(spec).inject(environment, shared)).rejects.toThrow('Redis has 2 nodes here; it takes 3');
  });
});
