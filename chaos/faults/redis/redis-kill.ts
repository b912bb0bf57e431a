// SIGKILL of the Redis that all share; healed by a restart, empty, on the same port.

import { defineFault, nothing } from '../fault.ts';

export const redisKill = defineFault({
  kind: 'redis-kill',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-process'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'lost',
  endsBy: 'heal',
  inject: ({ redis }) => redis.kill(),
  heal: ({ redis }) => redis.start(),
  // Toxiproxy accepts, finds no upstream and closes.
  bites: ({ outcome }) => outcome === 'closed' || outcome === 'refused',
  describe: () => 'Redis was killed, and came back empty',
});
