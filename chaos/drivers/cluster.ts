// Redis Cluster: formed of nodes that a driver has started, and watched by what they say of each other.
//
//   masters    0 ─ 5460    5461 ─ 10922    10923 ─ 16383     slots
//                 ▲              ▲               ▲
//   replicas      └──            └──             └──         each follows one, and takes its place when it is gone
//
// The master that is killed is the first: it owns slot 0, and it is the first seed that a limiter is given.

import type { Failover } from '../environment.ts';
import { type AskedNode, formed } from './redis-node.ts';

export const masterCount = 3;
const slotCount = 16_384;
const formMsMax = 20_000;
/** Silence after which a node counts as dead; an election follows within about a second. */
const nodeTimeoutMs = 1000;

/** Options of redis-server for a node. */
export const clusterSettings: Readonly<Record<string, string>> = {
  'cluster-enabled': 'yes',
  'cluster-config-file': 'nodes.conf',
  'cluster-node-timeout': String(nodeTimeoutMs),
  'cluster-require-full-coverage': 'no', // the dead shard's keys are its own trouble
  'cluster-replica-validity-factor': '0', // a replica may take over however long its master has been away
  'repl-diskless-sync-delay': '0', // s; nobody else is coming
};

/** What tells a limiter the way: the masters are enough to find the rest. */
export function clusterEnv(masters: readonly AskedNode[]): Record<string, string> {
  return { REDIS_CLUSTER_ADDRS: masters.map(({ address }) => address).join() };
}

/** Makes a cluster of them; the i-th replica follows the i-th master. Resolves when every node says that all is well. */
export async function formCluster(masters: readonly AskedNode[], replicas: readonly AskedNode[]): Promise<void> {
  const nodes = [...masters, ...replicas];
  await Promise.all(
    masters.map(async ({ admin }, i) => {
      const first = Math.ceil((i * slotCount) / masters.length);
      const end = Math.ceil(((i + 1) * slotCount) / masters.length);
      await admin.cluster('SET-CONFIG-EPOCH', i + 1); // none but its own, or they would have to be told apart later
      await admin.cluster('ADDSLOTS', ...Array.from({ length: end - first }, (_, slot) => first + slot));
    }),
  );
  for (const [i, { admin }] of nodes.entries()) {
    for (const { address } of nodes.slice(0, i)) {
      const [host = '', port = ''] = address.split(':');
      await admin.cluster('MEET', host, port);
    }
  }
  const known = async (node: AskedNode) => (await linesOf(node)).filter(({ failed }) => !failed).length;
  await formed('the cluster', formMsMax, async () =>
    (await Promise.all(nodes.map(known))).every((count) => count === nodes.length),
  );
  await Promise.all(
    replicas.map(async ({ admin }, i) => {
      const master = masters[i]?.admin;
      if (master) await admin.cluster('REPLICATE', String(await master.cluster('MYID')));
    }),
  );
  await formed('the cluster', formMsMax, async () =>
    (await Promise.all(nodes.map(isWell(nodes.length)))).every(Boolean),
  );
}

/** Of the first master. */
export function clusterFailover(nodes: readonly AskedNode[]): Failover {
  const [victim] = nodes as readonly [AskedNode];
  const living = () => nodes.filter(({ admin }) => admin.status === 'ready');
  return {
    victim: victim.address,
    async named() {
      const views = await Promise.allSettled(living().map(linesOf));
      return views.flatMap((view) => (view.status === 'fulfilled' ? [view.value.find(ownsFirstSlot)?.address] : []));
    },
    async keys() {
      const masters = living();
      const held = await Promise.all(
        masters.map(async ({ address, admin }) => {
          const isMaster = String(await admin.role()).startsWith('master');
          return [address, isMaster ? await admin.keys('*') : []] as const;
        }),
      );
      return new Map(held.filter(([, names]) => names.length > 0));
    },
  };
}

/** What CLUSTER NODES says of one. */
export interface NodeLine {
  readonly address: string;
  readonly isMaster: boolean;
  readonly failed: boolean;
  readonly masterId: string;
  /** Ranges, as `0-5460`. */
  readonly slots: readonly string[];
}

/** Lines of CLUSTER NODES: https://redis.io/docs/latest/commands/cluster-nodes/ */
export function parseNodes(text: string): NodeLine[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [, address = '', flags = '', masterId = '', , , , , ...slots] = line.split(' ');
      return {
        address: address.replace(/@.*/, ''),
        isMaster: flags.includes('master'),
        failed: /\b(fail\??|noaddr|handshake)(,|$)/.test(flags),
        masterId,
        slots: slots.filter((slot) => !slot.startsWith('[')),
      };
    });
}

/** What a node says of all. */
export async function linesOf({ admin }: AskedNode): Promise<NodeLine[]> {
  return parseNodes(String(await admin.cluster('NODES')));
}

function ownsFirstSlot({ isMaster, failed, slots }: NodeLine): boolean {
  return isMaster && !failed && slots.some((range) => /^0(-|$)/.test(range));
}

/** Whether the node knows all others, each with a master or slots, the cluster as a whole, and is itself in step. */
const isWell =
  (count: number) =>
  async (node: AskedNode): Promise<boolean> => {
    const [lines, info, role] = await Promise.all([linesOf(node), node.admin.cluster('INFO'), node.admin.role()]);
    return (
      lines.length === count &&
      lines.every(({ failed, isMaster, slots }) => !failed && (!isMaster || slots.length > 0)) &&
      String(info).includes('cluster_state:ok') &&
      (role[0] === 'master' || role[3] === 'connected')
    );
  };
