// Data arrives in slices of at most `averageBytes`, with `delayUs` between them, in each direction: Toxiproxy's `slicer`.

import { z } from 'zod';
import { encoded } from '../../host/ping.ts';
import { defineFault } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

interface Slicer {
  readonly averageBytes: number;
  readonly delayUs: number;
}

/** Of a script call for a single take, at the least, both ways together. */
const takeBytesMin = 200;
/** Long, so that its slices take longer than a short one takes on a busy machine. */
const probe = ['PING', '.'.repeat(64)];
/** The look is over with the first slice of the reply. */
const probeBytes = encoded(probe).length;
/** Of the probe, so that it takes milliseconds. */
const slicesMin = 5;
const averageBytesMax = Math.floor(probeBytes / slicesMin);

/** The last slice each way waits for no other. */
const waitMs = (bytes: number, ways: number, { averageBytes, delayUs }: Slicer) =>
  ((bytes / averageBytes - ways) * delayUs) / 1000;

const kind = 'slicer';

export const slicer = defineFault<Slicer>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({
    averageBytes: z.int().min(1).max(averageBytesMax),
    delayUs: z.int().min(1000).max(1_000_000),
  }),
  examples: [{ averageBytes: 1, delayUs: 2000 }],
  effect: (params, { p99Ms }) => (waitMs(takeBytesMin, 2, params) >= p99Ms ? 'cut-off' : 'degraded'),
  ...byToxic<Slicer>(kind, ({ averageBytes, delayUs }) => ({
    type: 'slicer',
    attributes: { average_size: averageBytes, size_variation: 0, delay: delayUs },
  })),
  probe,
  bites: ({ outcome, ms }, params) => outcome === 'silent' || ms >= waitMs(probeBytes, 1, params) * 0.9,
  describe: ({ averageBytes, delayUs }) =>
    `Every packet between the limiters and Redis came in slices of ${averageBytes} B, ${delayUs / 1000} ms apart`,
});
