// All data is dropped, in one direction or both. Connections stay up, and are closed when it is healed: Toxiproxy's
// `timeout` 0.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, type Direction, direction, ofStoreLinks, wayOf } from './toxics.ts';

interface Partition {
  readonly direction: Direction;
}

const kind = 'partition';

export const partition = defineFault<Partition>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({ direction }),
  examples: [{}, { direction: 'downstream' }],
  effect: () => 'cut-off',
  ...byToxic<Partition>(
    kind,
    () => ({ type: 'timeout', attributes: { timeout: 0 } }),
    ({ direction }) => direction,
  ),
  bites: ({ outcome }) => outcome === 'silent',
  describe: ({ direction }) => `Every packet ${wayOf(direction)} was dropped`,
});
