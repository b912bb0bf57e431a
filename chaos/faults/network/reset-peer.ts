// Every connection is reset at once, by RST, and so is each new one: Toxiproxy's `reset_peer` 0.

import { defineFault, nothing } from '../fault.ts';
import { byToxic } from './toxics.ts';

const kind = 'reset-peer';

export const resetPeer = defineFault({
  kind,
  family: 'network',
  params: nothing,
  examples: [{}],
  needs: ['toxics'],
  reaches: ['store-links', 'one-store-link'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  ...byToxic(kind, () => ({ type: 'reset_peer', attributes: { timeout: 0 } })),
  bites: ({ outcome }) => outcome === 'closed',
  describe: () => 'Every connection between the limiters and Redis was reset, and so was each new one',
});
