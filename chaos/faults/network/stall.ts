// All data is held back, in both directions, and delivered late, when it is healed: Toxiproxy's `bandwidth` 0. Connections
// stay up.

import { defineFault, nothing } from '../fault.ts';
import { onBothStreams } from './toxics.ts';

export const stall = defineFault({
  kind: 'stall',
  family: 'network',
  params: nothing,
  needs: ['toxics'],
  reaches: ['store-links', 'one-store-link'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  ...onBothStreams(() => ({ type: 'bandwidth', attributes: { rate: 0 } })),
  bites: ({ outcome }) => outcome === 'silent',
  describe: () => 'Every packet between the limiters and Redis was held back, and delivered late',
});
