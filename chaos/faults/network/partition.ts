// All data is dropped, in both directions. Connections stay up, and are closed when it is healed: Toxiproxy's `timeout` 0.

import { defineFault, nothing } from '../fault.ts';
import { onBothStreams } from './toxics.ts';

export const partition = defineFault({
  kind: 'partition',
  family: 'network',
  params: nothing,
  needs: ['toxics'],
  reaches: ['store-links', 'one-store-link'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  ...onBothStreams(() => ({ type: 'timeout', attributes: { timeout: 0 } })),
  bites: ({ outcome }) => outcome === 'silent',
  describe: () => 'Every packet between the limiters and Redis was dropped',
});
