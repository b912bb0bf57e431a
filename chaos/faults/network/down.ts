// The link is down: its connections are closed and new ones refused, until it is healed: Toxiproxy's `enabled: false`.

import { defineFault, nothing } from '../fault.ts';
import { ofStoreLinks, proxyOf } from './toxics.ts';

export const down = defineFault({
  kind: 'down',
  ...ofStoreLinks,
  params: nothing,
  examples: [{}],
  effect: () => 'cut-off',
  inject: ({ toxiproxy }, target) => toxiproxy.setEnabled(proxyOf(target), false),
  heal: ({ toxiproxy }, target) => toxiproxy.setEnabled(proxyOf(target), true),
  bites: ({ outcome }) => outcome === 'refused',
  describe: () => 'Every connection between the limiters and Redis was closed, and new ones refused',
});
