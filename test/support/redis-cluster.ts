// A Redis Cluster of a test's own: three masters with a replica each, real processes, quick to notice a death.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterSettings, formCluster, linesOf, masterCount, type NodeLine } from '../../chaos/drivers/cluster.ts';
import { freePort } from '../../chaos/free-port.ts';
import { type RedisNode, startNode } from './redis-nodes.ts';
import { until } from './until.ts';

const nodeCount = 2 * masterCount;

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
  const nodeOf = (line: NodeLine) => nodes.find(({ address }) => address === line.address) as RedisNode;
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
      return lines.filter((it) => it.isMaster && it.slots.length > 0 && !it.failed).map(nodeOf);
    },
    async replicasOf(master) {
      const id = await cluster.idOf(master);
      const lines = await anyAlive();
      return lines.filter((it) => it.masterId === id && !it.failed).map(nodeOf);
    },
    idOf: async (node) => (await node.admin.cluster('MYID')) as string,
    async healthy() {
      await until('a healthy cluster', async () => {
        const views = await Promise.all(nodes.map(linesOf));
        const owners = new Set(views.map((lines) => lines.map(ownershipOf).sort().join('\n')));
        const states = await Promise.all(nodes.map(({ admin }) => admin.cluster('INFO')));
        const replication = await Promise.all(nodes.map(({ admin }) => admin.info('replication')));
        return (
          owners.size === 1 &&
          views.every((lines) => lines.length === nodeCount && lines.every(({ failed }) => !failed)) &&
          states.every((state) => String(state).includes('cluster_state:ok')) &&
          replication.filter((it) => it.includes('master_link_status:up')).length === masterCount
        );
      });
    },
    [Symbol.asyncDispose]: end,
  };
  try {
    const ports: number[] = [];
    while (ports.length < nodeCount) ports.push(await freePort());
    nodes.push(...(await Promise.all(ports.map((port) => startNode(parent, port, clusterSettings)))));
    await formCluster(nodes.slice(0, masterCount), nodes.slice(masterCount));
    await cluster.healthy();
  } catch (error) {
    await end();
    throw error;
  }
  return cluster;
}

const ownershipOf = ({ address, isMaster, masterId, slots }: NodeLine) =>
  JSON.stringify({ address, isMaster, masterId, slots });
