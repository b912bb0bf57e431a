// SIGKILL of one master of several nodes: a replica takes its place by itself, while the fault lasts. Healed by a restart,
// empty, in the same place, after which the killed one learns that it is a replica now. Replication is asynchronous, so
// the last takes before the kill may be lost with it.

import { defineFault, nothing } from '../fault.ts';

export const masterKill = defineFault({
  kind: 'master-kill',
  family: 'topology',
  params: nothing,
  examples: [{}],
  needs: ['redis-process', 'topology'],
  reaches: ['one-shard'],
  effect: () => 'cut-off',
  state: 'perhaps-lost',
  endsBy: 'failover',
  inject: ({ redis }) => redis.kill(),
  heal: ({ redis }) => redis.start(),
  // Refused by its machine, or closed by a Toxiproxy of the lab's that finds nobody there.
  bites: ({ outcome }) => outcome === 'refused' || outcome === 'closed',
  describe: () => 'One master was killed, and came back empty',
});
