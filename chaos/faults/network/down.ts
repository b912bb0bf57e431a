// The link is down: its connections are closed and new ones refused, until it is healed: Toxiproxy's `enabled: false`.

import { defineFault, nothing } from '../fault.ts';
import { proxyOf } from './toxics.ts';

export const down = defineFault({
  kind: 'down',
  family: 'network',
  params: nothing,
  examples: [{}],
  needs: ['toxics'],
  reaches: ['store-links', 'one-store-link'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  inject: ({ toxiproxy }, target) => toxiproxy.setEnabled(proxyOf(target), false),
  heal: ({ toxiproxy }, target) => toxiproxy.setEnabled(proxyOf(target), true),
  bites: ({ outcome }) => outcome === 'refused',
  describe: () => 'Every connection between the limiters and Redis was closed, and new ones refused',
});
