// Redis holds every command back that may write, as before a planned failover, and does them all when the pause ends. A
// limiter's script may write. A pause of all commands could not be healed: it holds back the command that ends it, too.

import { defineFault, nothing } from '../fault.ts';
import { send, writing } from './commands.ts';

/** Ends a pause that nobody heals. */
const pauseMsMax = 3_600_000;

export const clientPause = defineFault({
  kind: 'client-pause',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-config'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  inject: (environment) => send(environment, [['CLIENT', 'PAUSE', String(pauseMsMax), 'WRITE']]),
  heal: (environment) => send(environment, [['CLIENT', 'UNPAUSE']]),
  probe: writing,
  bites: ({ outcome }) => outcome === 'silent',
  describe: () => 'Redis held every write back, and did it late',
});
