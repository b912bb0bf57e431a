// Data arrives in slices of at most `averageBytes`, with `delayUs` between them, in each direction: Toxiproxy's `slicer`.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

interface Slicer {
  readonly averageBytes: number;
  readonly delayUs: number;
}

/** Both ways together: of a script call for a single take, at the least, and of a PING of the lab's own. */
const takeBytesMin = 200;
const pingBytes = 21;
/** Above it a PING would travel in one slice each way, and nobody could tell that it bit. */
const averageBytesMax = 7;

/** The last slice each way waits for no other. */
const waitMs = (bytes: number, { averageBytes, delayUs }: Slicer) => ((bytes / averageBytes - 2) * delayUs) / 1000;

const kind = 'slicer';

export const slicer = defineFault<Slicer>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({
    averageBytes: z.int().min(1).max(averageBytesMax),
    delayUs: z.int().min(1000).max(1_000_000),
  }),
  examples: [{ averageBytes: 1, delayUs: 2000 }],
  effect: (params, { p99Ms }) => (waitMs(takeBytesMin, params) >= p99Ms ? 'cut-off' : 'degraded'),
  ...byToxic<Slicer>(kind, ({ averageBytes, delayUs }) => ({
    type: 'slicer',
    attributes: { average_size: averageBytes, size_variation: 0, delay: delayUs },
  })),
  bites: ({ outcome, ms }, params) => outcome === 'silent' || ms >= waitMs(pingBytes, params) * 0.9,
  describe: ({ averageBytes, delayUs }) =>
    `Every packet between the limiters and Redis came in slices of ${averageBytes} B, ${delayUs / 1000} ms apart`,
});
