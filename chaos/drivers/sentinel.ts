// A master, its replica, and Sentinels that watch the master and give its role to the replica when it is gone.
//
//   limiter ── who is master? ──▶ sentinels ── watch ──▶ master ── replicates to ──▶ replica

import type { Failover } from '../environment.ts';
import { type AskedNode, formed } from './redis-node.ts';

const formMsMax = 20_000;
/** Silence after which a Sentinel counts the master as dead. */
const downAfterMs = 500;
const failoverTimeoutMs = 2000;

/** As in REDIS_SENTINEL_NAME. */
export const masterName = 'limits';

/** Options of redis-server for the master and its replica. */
export const replicationSettings: Readonly<Record<string, string>> = {
  'repl-diskless-sync-delay': '0', // s; nobody else is coming
};

/** One is enough where nobody is to take over. */
export function sentinelCount(replicated: boolean): number {
  return replicated ? 3 : 1;
}

/** What tells a limiter the way. */
export function sentinelEnv(sentinels: readonly AskedNode[]): Record<string, string> {
  return {
    REDIS_SENTINEL_ADDRS: sentinels.map(({ address }) => address).join(),
    REDIS_SENTINEL_NAME: masterName,
  };
}

/** The file that a Sentinel is started with, and rewrites. `count` of them there are; most must hold the master for dead. */
export function sentinelConfig(
  bind: string,
  port: number,
  master: { host: string; port: number },
  count: number,
): string {
  const quorum = Math.floor(count / 2) + 1;
  return [
    `port ${port}`,
    `bind ${bind}`,
    'protected-mode no', // loopback, or a network of the run's own
    `sentinel monitor ${masterName} ${master.host} ${master.port} ${quorum}`,
    `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
    `sentinel failover-timeout ${masterName} ${failoverTimeoutMs}`,
    '',
  ].join('\n');
}

/** Resolves when every Sentinel knows the others, and as many replicas in step with the master as there are. */
export async function sentinelsFormed(
  sentinels: readonly AskedNode[],
  master: AskedNode,
  replicas: readonly AskedNode[],
): Promise<void> {
  await formed('the Sentinels', formMsMax, async () => {
    const states = await Promise.all(sentinels.map(stateOf));
    const roles = await Promise.all(replicas.map(({ admin }) => admin.role()));
    return (
      states.every(
        (state) =>
          state.get('flags') === 'master' &&
          `${state.get('ip')}:${state.get('port')}` === master.address &&
          state.get('num-other-sentinels') === String(sentinels.length - 1) &&
          state.get('num-slaves') === String(replicas.length),
      ) && roles.every((role) => role[3] === 'connected')
    );
  });
}

/** Named is who accepts a write: a Sentinel may name a master a moment before it is one. */
export function sentinelFailover(sentinels: readonly AskedNode[], nodes: readonly AskedNode[]): Failover {
  const [victim] = nodes as readonly [AskedNode];
  return {
    victim: victim.address,
    async named() {
      const told = await Promise.allSettled(
        sentinels.map(({ admin }) => admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName)),
      );
      const named = told.flatMap((it) =>
        it.status === 'fulfilled' && Array.isArray(it.value) ? [it.value.join(':')] : [],
      );
      const accepting = new Set<string>();
      for (const { address, admin } of nodes.filter((node) => named.includes(node.address))) {
        if (await admin.set(writeProbe, '', 'PX', 1).catch(() => undefined)) accepting.add(address);
      }
      return named.map((address) => (accepting.has(address) ? address : undefined));
    },
  };
}

/** Nobody's bucket. */
const writeProbe = 'failopen-lab';

async function stateOf({ admin }: AskedNode): Promise<ReadonlyMap<string, string>> {
  const fields = (await admin.call('SENTINEL', 'MASTER', masterName)) as string[];
  return new Map(fields.flatMap((name, i) => (i % 2 ? [] : [[name, fields[i + 1] ?? ''] as const])));
}
