// SIGSTOP of the Redis that all share: its connections stand, and nothing is answered. Healed by SIGCONT, after which it
// does all that was sent meanwhile.

import { defineFault, nothing } from '../fault.ts';
import { programOf } from './program.ts';

export const redisStop = defineFault({
  kind: 'redis-stop',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-program'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  inject: async (environment) => programOf(environment).suspend(),
  heal: async (environment) => programOf(environment).resume(),
  bites: ({ outcome }) => outcome === 'silent',
  describe: () => 'Redis stood still, and did late what it was asked for',
});
