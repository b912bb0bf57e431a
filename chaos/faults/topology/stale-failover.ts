// A replica lags behind its master, and takes its place: the buckets are as they were when it last heard of them. It follows
// nobody for that time; then the master is killed. Sentinels take no replica that has heard nothing for long.

import { z } from 'zod';
import { sleep } from '../../clock.ts';
import type { NodeHandle } from '../../environment.ts';
import { defineFault } from '../fault.ts';
import { nodesOf, sentinelsOf } from './nodes.ts';

/** Where nobody listens. */
const nowhere = ['127.0.0.1', '1'] as const;
const lagMsMax = 4000;

export const staleFailover = defineFault({
  kind: 'stale-failover',
  family: 'topology',
  params: z.strictObject({ lagMs: z.int().min(100).max(lagMsMax) }),
  examples: [{ lagMs: 1500 }],
  needs: ['redis-process', 'topology'],
  reaches: ['one-shard'],
  effect: () => 'cut-off',
  state: 'stale',
  endsBy: 'failover',
  async inject(environment, _target, { lagMs }) {
    sentinelsOf(environment); // a node of a cluster is told by nobody whom to follow
    const [, replica] = nodesOf(environment, 2) as readonly [NodeHandle, NodeHandle];
    await replica.command('REPLICAOF', ...nowhere);
    await sleep(lagMs);
    await environment.redis.kill();
  },
  async heal(environment) {
    const [master, replica] = nodesOf(environment, 2) as readonly [NodeHandle, NodeHandle];
    const [, , port] = (await replica.command('ROLE')) as readonly unknown[];
    if (String(port) === nowhere[1]) await replica.command('REPLICAOF', ...master.address.split(':'));
    await environment.redis.start();
  },
  // Refused by its machine, or closed by a Toxiproxy of the lab's that finds nobody there.
  bites: ({ outcome }) => outcome === 'refused' || outcome === 'closed',
  describe: ({ lagMs }) => `The master was killed, and a replica took its place that lagged ${lagMs} ms behind`,
});
