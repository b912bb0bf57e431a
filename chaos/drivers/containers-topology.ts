// Redis as a cluster or under Sentinels in containers, for an environment of containers.
//
//   limiter ──────────── addresses that the nodes tell ────────────▶ nodes     on the run's network
//       lab ──▶ Toxiproxy's ports, one for each node ──────────────▶
//
// A node that dies does so as a process, and its container stays: so it comes back at the address by which the others know
// it, and the engine, which takes tens of milliseconds of a small machine to end a container, is no part of the fault.

import type { RedisHandle, StoreLink } from '../environment.ts';
import { type Engine, type Label, weight } from '../host/engine.ts';
import type { Topology } from '../scenario.ts';
import { clusterEnv, clusterFailover, clusterSettings, formCluster, masterCount } from './cluster.ts';
import { imageOf } from './images.ts';
import { type Address, answers, redisPort } from './links.ts';
import { adminOf, handleOf, type RedisNode } from './redis-node.ts';
import {
  replicationSettings,
  sentinelConfig,
  sentinelCount,
  sentinelEnv,
  sentinelFailover,
  sentinelsFormed,
} from './sentinel.ts';
import { dataDirectory, ordersTo, redisCommand, supervisedRedis, supervisor } from './supervised.ts';
import type { ContainerWatch } from './watch.ts';

export interface TopologyInContainers {
  readonly redis: RedisHandle;
  /** What tells a limiter the way to it. */
  readonly env: Readonly<Record<string, string>>;
  /** On which a fault of it shows. */
  readonly storeLink: StoreLink;
  /** Of a container of it. */
  readonly id: string;
}

export interface TopologyOptions {
  readonly engine: Engine;
  readonly label: Label;
  readonly watch: ContainerWatch;
  /** The run's own. */
  readonly network: string;
  /** Opens a way for the lab to a node that is never faulted, and stays when the node is started again. */
  readonly openWay: (name: string, upstream: string) => Promise<Address>;
  readonly started: AsyncDisposableStack;
  /** Of its containers. */
  readonly name: string;
  /** It will be faulted; without that it has no one to take over. */
  readonly replicated: boolean;
}

type Severalfold = Exclude<Topology, 'single'>;

export const startTopology: Readonly<Record<Severalfold, (options: TopologyOptions) => Promise<TopologyInContainers>>> =
  { cluster: startCluster, sentinel: startSentinel };

/** Ways that the lab has to all Redis of an environment, the control's included. */
export const wayCounts: Readonly<Record<Topology, number>> = { single: 2, cluster: 9, sentinel: 7 };

async function startCluster(options: TopologyOptions): Promise<TopologyInContainers> {
  const { name, replicated } = options;
  const count = masterCount * (replicated ? 2 : 1);
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, i) => startNode(options, `${name}-${i + 1}`, redisCommand(clusterSettings))),
  );
  const masters = nodes.slice(0, masterCount);
  await formCluster(masters, nodes.slice(masterCount));
  return topologyOf(nodes, [], clusterEnv(masters), clusterFailover(nodes));
}

async function startSentinel(options: TopologyOptions): Promise<TopologyInContainers> {
  const { name, replicated } = options;
  const master = await startNode(options, name, redisCommand(replicationSettings));
  const [host = ''] = master.address.split(':');
  const following = { ...replicationSettings, replicaof: `${host} ${redisPort}` };
  const replicas = replicated ? [await startNode(options, `${name}-replica`, redisCommand(following))] : [];
  const count = sentinelCount(replicated);
  const config = sentinelConfig('0.0.0.0', redisPort, { host, port: redisPort }, count);
  // A Sentinel rewrites its file, so it must be one of its own.
  const command = [
    'sh',
    '-c',
    `echo '${config}' > ${dataDirectory}/sentinel.conf; exec redis-server ${dataDirectory}/sentinel.conf --sentinel`,
  ];
  const sentinels = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      startNode(options, `${name.replace('redis', 'sentinel')}-${i + 1}`, command),
    ),
  );
  await sentinelsFormed(sentinels, master, replicas);
  const nodes = [master, ...replicas];
  return topologyOf(nodes, sentinels, sentinelEnv(sentinels), sentinelFailover(sentinels, nodes));
}

/** Of several nodes, the first of which is the one that is killed. */
function topologyOf(
  nodes: readonly Node[],
  sentinels: readonly Node[],
  env: Record<string, string>,
  failover: NonNullable<RedisHandle['failover']>,
): TopologyInContainers {
  const victim = nodes[0] as Node;
  const { host, port, kill, start, id } = victim;
  const { command } = handleOf(victim);
  const handles = { nodes: nodes.map(handleOf), sentinels: sentinels.map(handleOf) };
  return {
    redis: { kill, start, command, failover, ...handles },
    env,
    storeLink: { proxy: undefined, host, port },
    id,
  };
}

interface Node extends RedisNode {
  /** Of its container. */
  readonly id: string;
}

async function startNode(options: TopologyOptions, name: string, command: string[]): Promise<Node> {
  const { engine, label, watch, network, openWay, started } = options;
  const container = await engine.dockerode.createContainer({
    Image: imageOf('REDIS_IMAGE'),
    Entrypoint: supervisor,
    Cmd: command,
    OpenStdin: true,
    User: '999:999',
    Labels: { [label.name]: label.value },
    HostConfig: { ...weight(), NetworkMode: network, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
  });
  const orders = await ordersTo(container);
  started.defer(() => {
    orders.end();
  });
  await container.start();
  await watch.add(name, container.id);
  const { NetworkSettings } = await container.inspect();
  const address = `${NetworkSettings.Networks[network]?.IPAddress}:${redisPort}`;
  const way = await openWay(name, address);
  await answers(name, way);
  const admin = await adminOf(way.host, way.port);
  started.defer(() => admin.disconnect());

  return { ...way, address, admin, id: container.id, ...supervisedRedis(name, orders, way) };
}
