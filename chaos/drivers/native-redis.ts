// The Redis of a native environment, in each topology, and the control's, which is never faulted. The control has the same
// topology, so that its limiter takes the same way through its code, without what only a fault would need: its cluster has
// no replicas, its master no replica and one Sentinel. Measured, those would cost what the comparison is to be free of.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import type { RedisHandle, StoreLink } from '../environment.ts';
import { freePort } from '../free-port.ts';
import type { NetworkNamespace } from '../host/namespace.ts';
import { ping } from '../host/ping.ts';
import type { ToxiproxyApi } from '../host/toxiproxy.ts';
import { limiterNames, type Topology } from '../scenario.ts';
import { clusterEnv, clusterFailover, clusterSettings, formCluster, masterCount } from './cluster.ts';
import { loopback, type NativeParts } from './native-parts.ts';
import { adminOf, argsOf, commandTo, handleOf, type RedisNode, serverArgs } from './redis-node.ts';
import {
  replicationSettings,
  sentinelConfig,
  sentinelCount,
  sentinelEnv,
  sentinelFailover,
  sentinelsFormed,
} from './sentinel.ts';
import { settableClock } from './settable-clock.ts';

export interface NativeRedis extends RedisHandle {
  /** What tells the limiter of this name the way to it, and the link on which a fault of it shows. */
  wayFrom(limiter: string, toxiproxy: ToxiproxyApi): Promise<{ env: Record<string, string>; storeLink: StoreLink }>;
}

export interface RedisOptions {
  readonly parts: NativeParts;
  /** The program. */
  readonly command: string;
  /** Of that program, such as 7.0.15. Nothing that only some have is used without it. */
  readonly version?: string | undefined;
  /** Of its processes. */
  readonly name: string;
  /** It will be faulted; without that it has no one to take over. */
  readonly replicated: boolean;
  /** Its clock is to be set; of a single one alone. */
  readonly isClockSet?: boolean;
  /** On the way to it; to a single one alone. */
  readonly namespace?: NetworkNamespace | undefined;
}

/** One of a single Redis for each limiter, so that Redis can tell whose connection is whose. Linux alone answers at all of 127.0.0.0/8. */
const linkAddresses: ReadonlyMap<string, string> = new Map(
  platform === 'linux' ? limiterNames.map((name, i) => [name, `127.0.1.${i + 1}`]) : [],
);

export const startRedis: Readonly<Record<Topology, (options: RedisOptions) => Promise<NativeRedis>>> = {
  single: startSingle,
  cluster: startCluster,
  sentinel: startSentinel,
};

async function startSingle(options: RedisOptions): Promise<NativeRedis> {
  const port = await freePort();
  const { parts, name, namespace } = options;
  const clock = options.isClockSet ? await settableClock(parts.data, name) : undefined;
  const bind = [loopback, ...linkAddresses.values()].join(' ');
  const settings = { dir: parts.data, bind, ...debugging(options) };
  const process = await startProcess(options, name, port, settings, clock?.env);
  const node = await nodeOf(parts, port, process);
  const { start, suspend, resume } = process;
  return {
    ...{ kill: node.kill, start, at: { host: loopback, port }, command: commandTo(node) },
    ...(clock ? { setAhead: clock.setAhead } : {}),
    program: {
      ...{ suspend, resume, startWith: (settings) => start(argsOf(settings)) },
      get pid() {
        return process.pid;
      },
    },
    async wayFrom(limiter, toxiproxy) {
      const proxy = `${limiter}-store`;
      const { outer = loopback, inner = loopback } = namespace ?? {};
      const arrivesAt = linkAddresses.get(limiter);
      const storePort = await toxiproxy.createProxy(proxy, `${arrivesAt ?? loopback}:${port}`, `${outer}:0`);
      const packets = namespace && { packets: namespace.filterOf(storePort) };
      const env = { REDIS_ADDR: `${inner}:${storePort}` };
      const storeLink = { proxy, host: inner, port: storePort, ...(arrivesAt ? { arrivesAt } : {}), ...packets };
      return { env, storeLink };
    },
  };
}

async function startCluster(options: RedisOptions): Promise<NativeRedis> {
  const { name, replicated } = options;
  const ports: number[] = [];
  while (ports.length < masterCount * (replicated ? 2 : 1)) ports.push(await freePort());
  const start = (port: number, i: number) => startNode(options, `${name}-${i + 1}`, port, clusterSettings);
  // The replicas after their masters, and so ended before them: a master that ends would wait for a replica behind it.
  const masters = await Promise.all(ports.slice(0, masterCount).map(start));
  const replicas = await Promise.all(ports.slice(masterCount).map((port, i) => start(port, masterCount + i)));
  await formCluster(masters, replicas);
  const nodes = [...masters, ...replicas];
  return redisOf(nodes, [], clusterEnv(masters), clusterFailover(nodes));
}

async function startSentinel(options: RedisOptions): Promise<NativeRedis> {
  const { name, replicated, parts, command } = options;
  const master = await startNode(options, name, await freePort(), replicationSettings);
  const following = { ...replicationSettings, replicaof: `${master.host} ${master.port}` };
  const replicas = replicated ? [await startNode(options, `${name}-replica`, await freePort(), following)] : [];
  const count = sentinelCount(replicated);
  const sentinels = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const port = await freePort();
      const config = join(parts.data, `sentinel-${port}.conf`);
      await writeFile(config, sentinelConfig(loopback, port, master, count));
      const part = { name: `${name.replace('redis', 'sentinel')}-${i + 1}`, command, args: [config, '--sentinel'] };
      return nodeOf(parts, port, await parts.startRestartable(part, () => pong(port)));
    }),
  );
  await sentinelsFormed(sentinels, master, replicas);
  const nodes = [master, ...replicas];
  return redisOf(nodes, sentinels, sentinelEnv(sentinels), sentinelFailover(sentinels, nodes));
}

/** Of several nodes, the first of which is the one that is killed. */
function redisOf(
  nodes: readonly RedisNode[],
  sentinels: readonly RedisNode[],
  env: Record<string, string>,
  failover: NonNullable<RedisHandle['failover']>,
): NativeRedis {
  const victim = nodes[0] as RedisNode;
  const { host, port, kill, start } = victim;
  return {
    ...{ kill, start, failover, at: { host, port }, command: handleOf(victim).command },
    ...{ nodes: nodes.map(handleOf), sentinels: sentinels.map(handleOf) },
    wayFrom: async () => ({ env, storeLink: { proxy: undefined, host, port } }),
  };
}

/** A Redis in a directory of its own. */
async function startNode(
  options: RedisOptions,
  name: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<RedisNode> {
  const dir = join(options.parts.data, name);
  await mkdir(dir);
  return nodeOf(options.parts, port, await startProcess(options, name, port, { dir, ...settings }));
}

/** Lets the lab give the command DEBUG, which Redis always allows before version 7. */
function debugging({ version = '' }: RedisOptions): Record<string, string> {
  return Number.parseInt(version, 10) >= 7 ? { 'enable-debug-command': 'local' } : {};
}

async function nodeOf(
  parts: NativeParts,
  port: number,
  process: Pick<RedisNode, 'kill' | 'start'>,
): Promise<RedisNode> {
  const admin = await adminOf(loopback, port);
  parts.defer(() => admin.disconnect());
  return { host: loopback, port, address: `${loopback}:${port}`, admin, ...process };
}

function startProcess(
  { parts, command }: RedisOptions,
  name: string,
  port: number,
  settings: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  const args = serverArgs({ port: String(port), bind: loopback, ...settings });
  return parts.startRestartable({ name, command, args, env, onPath: true }, () => pong(port));
}

async function pong(port: number): Promise<true | undefined> {
  const { outcome, reply } = await ping(loopback, port, 500);
  return outcome === 'pong' || reply.startsWith('-LOADING') ? true : undefined;
}
