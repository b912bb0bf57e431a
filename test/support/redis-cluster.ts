// A Redis Cluster of a test's own: three masters with a replica each, real processes, quick to notice a death.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freeClusterPort, type RedisNode, startNode } from './redis-nodes.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const nodeCount = 6;
/** Silence after which a node counts as dead. */
const nodeTimeoutMs = 1000;

export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisNode[];
  /** As in REDIS_CLUSTER_ADDRS: one node of three is enough to find the rest, and the first may be dead. */
  readonly seeds: string;
  /** The live masters that own slots, by the cluster's own word. */
  masters(): Promise<readonly RedisNode[]>;
  /** The live replicas of a master. */
  replicasOf(master: RedisNode): Promise<readonly RedisNode[]>;
  idOf(node: RedisNode): Promise<string>;
  /** Resolves when there are three masters with a replica in step each, and all nodes agree who owns what. */
  healthy(): Promise<void>;
}

export async function startCluster(): Promise<RedisCluster> {
  const parent = await mkdtemp(join(tmpdir(), 'failopen-cluster-'));
  const nodes: RedisNode[] = [];
  const end = async () => {
    await Promise.all(nodes.map((node) => node.end()));
    await rm(parent, { recursive: true, force: true });
  };
  const linesOf = async (node: RedisNode) =>
    ((await node.admin.cluster('NODES')) as string).trim().split('\n').map(parseNode);
  const byPort = (port: number) => nodes.find((node) => node.port === port) as RedisNode;
  const anyAlive = async () => {
    const alive = nodes.find(({ admin }) => admin.status === 'ready');
    if (!alive) throw new Error('no node of the cluster lives');
    return linesOf(alive);
  };
  const cluster: RedisCluster = {
    nodes,
    get seeds() {
      return nodes
        .slice(0, 3)
        .map(({ address }) => address)
        .join();
    },
    async masters() {
      const lines = await anyAlive();
      return lines.filter((it) => it.isMaster && it.ownsSlots && !it.failed).map(({ port }) => byPort(port));
    },
    async replicasOf(master) {
      const id = await cluster.idOf(master);
      const lines = await anyAlive();
      return lines.filter((it) => it.masterId === id && !it.failed).map(({ port }) => byPort(port));
    },
    idOf: async (node) => (await node.admin.cluster('MYID')) as string,
    async healthy() {
      await until('a healthy cluster', 20_000, async () => {
        const views = await Promise.all(nodes.map(linesOf));
        const owners = new Set(views.map((lines) => lines.map(ownershipOf).sort().join('\n')));
        const states = await Promise.all(nodes.map(({ admin }) => admin.cluster('INFO')));
        const replication = await Promise.all(nodes.map(({ admin }) => admin.info('replication')));
        return (
          owners.size === 1 &&
          views.every((lines) => lines.length === nodeCount && lines.every(({ failed }) => !failed)) &&
          states.every((state) => String(state).includes('cluster_state:ok')) &&
          replication.filter((it) => it.includes('master_link_status:up')).length === nodeCount / 2
        );
      });
    },
    [Symbol.asyncDispose]: end,
  };
  try {
    const ports: number[] = [];
    while (ports.length < nodeCount) ports.push(await freeClusterPort(ports));
    nodes.push(...(await Promise.all(ports.map((port) => startNode(parent, port, (dir) => argsOf(port, dir))))));
    const addresses = nodes.map(({ address }) => address);
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']);
    await cluster.healthy();
  } catch (error) {
    await end();
    throw error;
  }
  return cluster;
}

function argsOf(port: number, dir: string): string[] {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'no',
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': nodeTimeoutMs,
    'cluster-require-full-coverage': 'no', // the dead shard's keys are its own trouble
    'cluster-replica-validity-factor': 0, // a replica may take over however long its master has been away
    'repl-diskless-sync-delay': 0, // s; nobody else is coming
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** A line of CLUSTER NODES: https://redis.io/docs/latest/commands/cluster-nodes/ */
function parseNode(line: string) {
  const [, address = '', flags = '', masterId = '', , , , , ...slots] = line.split(' ');
  return {
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    isMaster: flags.includes('master'),
    failed: /\b(fail\??|noaddr|handshake)(,|$)/.test(flags),
    masterId,
    slots: slots.filter((it) => !it.startsWith('[')),
    ownsSlots: slots.length > 0,
  };
}

const ownershipOf = ({ port, isMaster, masterId, slots }: ReturnType<typeof parseNode>) =>
  JSON.stringify({ port, isMaster, masterId, slots });
