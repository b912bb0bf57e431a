// Redis as a cluster or under Sentinels in containers, for an environment of containers.
//
//   limiter ──────────── addresses that the nodes tell ────────────▶ nodes     on the run's network
//       lab ──▶ Toxiproxy's ports, one for each node ──────────────▶
//
// The nodes of a cluster, and Sentinels, know each other by address, and a container that is started again may get another
// one. So the network is one whose addresses can be chosen, and each node has its own for as long as the run lasts.

import { StartedNetwork } from 'testcontainers';
import type { RedisHandle, StoreLink } from '../environment.ts';
import { LabError } from '../errors.ts';
import type { Topology } from '../scenario.ts';
import { clusterFailover, clusterSettings, formCluster } from './cluster.ts';
import type { Engine, Label } from './engine.ts';
import { imageOf } from './images.ts';
import { type Address, answers, redisIn, redisPort } from './links.ts';
import { adminOf, type RedisNode } from './redis-node.ts';
import { masterName, replicationSettings, sentinelConfig, sentinelFailover, sentinelsFormed } from './sentinel.ts';
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
  readonly network: ChosenNetwork;
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

const masterCount = 3;

async function startCluster(options: TopologyOptions): Promise<TopologyInContainers> {
  const { name, replicated } = options;
  const count = masterCount * (replicated ? 2 : 1);
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, i) => startNode(options, `${name}-${i + 1}`, commandOf(clusterSettings))),
  );
  const masters = nodes.slice(0, masterCount);
  await formCluster(masters, nodes.slice(masterCount));
  const env = { REDIS_CLUSTER_ADDRS: masters.map(({ address }) => address).join() };
  return topologyOf(masters, env, clusterFailover(nodes));
}

async function startSentinel(options: TopologyOptions): Promise<TopologyInContainers> {
  const { name, replicated } = options;
  const master = await startNode(options, name, commandOf(replicationSettings));
  const [host = ''] = master.address.split(':');
  const following = { ...replicationSettings, replicaof: `${host} ${redisPort}` };
  const replicas = replicated ? [await startNode(options, `${name}-replica`, commandOf(following))] : [];
  const count = replicated ? 3 : 1;
  const config = sentinelConfig('0.0.0.0', redisPort, { host, port: redisPort }, Math.ceil((count + 1) / 2));
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
  const env = {
    REDIS_SENTINEL_ADDRS: sentinels.map(({ address }) => address).join(),
    REDIS_SENTINEL_NAME: masterName,
  };
  return topologyOf([master], env, sentinelFailover(sentinels, [master, ...replicas]));
}

/** Of several nodes, the first of which is the one that is killed. */
function topologyOf(
  [victim]: readonly Node[],
  env: Record<string, string>,
  failover: NonNullable<RedisHandle['failover']>,
): TopologyInContainers {
  const { host, port, kill, start, id } = victim as Node;
  return { redis: { kill, start, failover }, env, storeLink: { proxy: undefined, host, port }, id };
}

interface Node extends RedisNode {
  /** Of its container. */
  readonly id: string;
}

/** In the container's own layer, which outlives a kill: a node must know afterwards who it was. */
const dataDirectory = '/tmp';

function commandOf(settings: Readonly<Record<string, string>>): string[] {
  const all = {
    port: String(redisPort),
    'protected-mode': 'no',
    dir: dataDirectory,
    save: '',
    appendonly: 'no',
    ...settings,
  };
  return ['redis-server', ...Object.entries(all).flatMap(([option, value]) => [`--${option}`, value])];
}

async function startNode(options: TopologyOptions, name: string, command: string[]): Promise<Node> {
  const { engine, label, watch, network, openWay, started } = options;
  const ip = network.nextAddress();
  const container = await engine.dockerode.createContainer({
    Image: imageOf('REDIS_IMAGE'),
    Cmd: command,
    User: '999:999',
    Labels: { [label.name]: label.value },
    HostConfig: { NetworkMode: network.name, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
    NetworkingConfig: { EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: ip } } } },
  });
  await container.start();
  await watch.add(name, container.id);
  const address = `${ip}:${redisPort}`;
  const way = await openWay(name, address);
  await answers(name, way);
  const admin = await adminOf(way.host, way.port);
  started.defer(() => admin.disconnect());
  return { ...way, address, admin, id: container.id, ...redisIn(container, watch, way) };
}

/** Last byte of the first address chosen, over those that an engine likes to give to itself. */
const firstChosen = 16;

export interface ChosenNetwork {
  readonly network: StartedNetwork;
  readonly name: string;
  /** One that the engine gives to nobody by itself. */
  nextAddress(): string;
}

/**
 * A network whose addresses can be chosen: the engine allows that only where it was told the subnet, and knows itself best
 * which one is free. So it is asked for any, and then for that one.
 */
export async function chosenNetwork(
  { client, dockerode }: Engine,
  { name: label, value }: Label,
): Promise<ChosenNetwork> {
  const Labels = { [label]: value };
  const any = await dockerode.createNetwork({ Name: `failopen-any-${value}`, Labels });
  const { IPAM } = (await any.inspect()) as { IPAM?: { Config?: { Subnet?: string }[] } };
  await any.remove();
  const Subnet = IPAM?.Config?.[0]?.Subnet ?? '';
  const [, base] = /^(\d+\.\d+\.\d+)\.0\/(?:[0-9]|1\d|2[0-4])$/.exec(Subnet) ?? [];
  if (base === undefined) throw new LabError(`The engine's networks are too small to choose addresses in: ${Subnet}`);
  const name = `failopen-${value}`;
  const IPRange = `${base}.128/25`; // what the engine gives by itself
  const network = await dockerode.createNetwork({
    Name: name,
    Labels,
    IPAM: { Driver: 'default', Config: [{ Subnet, IPRange }] },
  });
  let given = 0;
  return {
    network: new StartedNetwork(client, name, network),
    name,
    nextAddress: () => `${base}.${firstChosen + given++}`,
  };
}
