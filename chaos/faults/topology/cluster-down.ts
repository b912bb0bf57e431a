// One slot of a cluster has no master, and the cluster is one that then refuses everything, as Redis does by default: every
// node answers every command with CLUSTERDOWN.

import { until } from '../../clock.ts';
import type { NodeHandle } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, nothing } from '../fault.ts';
import { cluster, labKey, labSlot, nodesOf, unlessDone } from './nodes.ts';

const masters = 3;
const stateMsMax = 5000;

export const clusterDown = defineFault({
  kind: 'cluster-down',
  family: 'topology',
  params: nothing,
  examples: [{}],
  needs: ['redis-config', 'topology'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment) {
    const nodes = nodesOf(environment, masters);
    await requireFullCoverage(nodes, 'yes');
    // Its owner first: what that one says it owns, the others believe.
    for (const node of nodes) await unlessDone(/already unassigned/, cluster(node, 'DELSLOTS', String(labSlot)));
    await untilAll(nodes, ['cluster_state:fail']);
  },
  async heal(environment) {
    const nodes = nodesOf(environment, masters);
    await requireFullCoverage(nodes, 'no');
    const [owner] = nodes as readonly [NodeHandle];
    await unlessDone(/already busy/, cluster(owner, 'ADDSLOTS', String(labSlot)));
    await untilAll(nodes, ['cluster_state:ok', 'cluster_slots_assigned:16384']);
  },
  probe: ['GET', labKey],
  bites: ({ reply }) => reply.startsWith('-CLUSTERDOWN'),
  describe: () => 'One slot of the cluster had no master, and every node refused every command',
});

async function requireFullCoverage(nodes: readonly NodeHandle[], wanted: 'yes' | 'no'): Promise<void> {
  await Promise.all(nodes.map(({ command }) => command('CONFIG', 'SET', 'cluster-require-full-coverage', wanted)));
}

/** Resolves when all of them say so. */
async function untilAll(nodes: readonly NodeHandle[], says: readonly string[]): Promise<void> {
  const done = await until(stateMsMax, 20, async () => {
    const told = await Promise.all(nodes.map((node) => cluster(node, 'INFO')));
    return told.every((info) => says.every((line) => info.includes(line))) || undefined;
  });
  if (!done)
    throw new LabError(`Not every node of the cluster said ${says.join(' and ')} within ${stateMsMax / 1000} s`);
}
