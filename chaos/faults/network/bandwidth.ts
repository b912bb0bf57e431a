// Data flows no faster than `kilobytesPerSecond`, in each direction: Toxiproxy's `bandwidth`, by which a packet of so many
// bytes is late by so many milliseconds at 1 kB/s.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

interface Bandwidth {
  readonly kilobytesPerSecond: number;
}

/** Both ways together: of a script call for a single take, at the least, and of a PING of the lab's own. */
const takeBytesMin = 200;
const pingBytes = 21;
/** Above it a PING hardly feels it, and nobody could tell that it bit. */
const kilobytesPerSecondMax = 10;

const kind = 'bandwidth';

export const bandwidth = defineFault<Bandwidth>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({ kilobytesPerSecond: z.int().min(1).max(kilobytesPerSecondMax) }),
  examples: [{ kilobytesPerSecond: 10 }],
  effect: ({ kilobytesPerSecond }, { p99Ms }) => (takeBytesMin / kilobytesPerSecond >= p99Ms ? 'cut-off' : 'degraded'),
  ...byToxic<Bandwidth>(kind, ({ kilobytesPerSecond }) => ({
    type: 'bandwidth',
    attributes: { rate: kilobytesPerSecond },
  })),
  bites: ({ outcome, ms }, { kilobytesPerSecond }) =>
    outcome === 'silent' || ms >= (pingBytes / kilobytesPerSecond) * 0.9,
  describe: ({ kilobytesPerSecond }) => `The way to Redis carried ${kilobytesPerSecond} kB/s in each direction`,
});
