// Every connection is reset at once, by RST, and so is each new one: Toxiproxy's `reset_peer` 0.

import { defineFault, nothing } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

const kind = 'reset-peer';

export const resetPeer = defineFault({
  kind,
  ...ofStoreLinks,
  params: nothing,
  examples: [{}],
  effect: () => 'cut-off',
  ...byToxic(kind, () => ({ type: 'reset_peer', attributes: { timeout: 0 } })),
  bites: ({ outcome }) => outcome === 'closed',
  describe: () => 'Every connection between the limiters and Redis was reset, and so was each new one',
});
