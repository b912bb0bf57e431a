// A connection is closed after `bytes` of Redis's replies, in the middle of the first one: Toxiproxy's `limit_data`.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

interface LimitData {
  readonly bytes: number;
}

/** The shortest reply, `+PONG`, has one byte more. */
const bytesMax = 6;

const kind = 'limit-data';

export const limitData = defineFault<LimitData>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({ bytes: z.int().min(1).max(bytesMax) }),
  examples: [{ bytes: 3 }],
  effect: () => 'cut-off',
  ...byToxic<LimitData>(
    kind,
    ({ bytes }) => ({ type: 'limit_data', attributes: { bytes } }),
    () => 'downstream',
  ),
  bites: ({ outcome }) => outcome === 'closed' || outcome === 'other',
  describe: ({ bytes }) => `Every connection to Redis was closed after ${bytes} B of its first reply`,
});
