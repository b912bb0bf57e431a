// Every connection is taken, and closed a millisecond later, with nothing passed on: a proxy whose upstream is dead.
// Toxiproxy's `timeout` 1.

import { defineFault, nothing } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

const kind = 'accept-close';

export const acceptClose = defineFault({
  kind,
  ...ofStoreLinks,
  params: nothing,
  examples: [{}],
  effect: () => 'cut-off',
  ...byToxic(kind, () => ({ type: 'timeout', attributes: { timeout: 1 } })),
  bites: ({ outcome }) => outcome === 'closed',
  describe: () => 'Every connection between the limiters and Redis was closed, and each new one taken and closed',
});
