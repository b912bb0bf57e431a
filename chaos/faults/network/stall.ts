// All data is held back, in one direction or both, and delivered late, when it is healed: Toxiproxy's `bandwidth` 0.
// Connections stay up.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, type Direction, direction, ofStoreLinks, wayOf } from './toxics.ts';

interface Stall {
  readonly direction: Direction;
}

const kind = 'stall';

export const stall = defineFault<Stall>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({ direction }),
  examples: [{}],
  effect: () => 'cut-off',
  ...byToxic<Stall>(
    kind,
    () => ({ type: 'bandwidth', attributes: { rate: 0 } }),
    ({ direction }) => direction,
  ),
  bites: ({ outcome }) => outcome === 'silent',
  describe: ({ direction }) => `Every packet ${wayOf(direction)} was held back, and delivered late`,
});
