// The clients of an instance are slow to read, or to read and to write: Toxiproxy's `bandwidth` on its front link.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic } from '../network/toxics.ts';
import { ofFrontLinks } from './front-links.ts';

interface SlowClients {
  readonly kilobytesPerSecond: number;
  readonly direction: 'both' | 'downstream';
}

/** Of an HTTP answer, at the least. */
const answerBytesMin = 100;
/** Above it an answer is hardly late, and nobody could tell that it bit. */
const kilobytesPerSecondMax = 2;

const kind = 'slow-clients';

export const slowClients = defineFault<SlowClients>({
  kind,
  ...ofFrontLinks,
  params: z.strictObject({
    kilobytesPerSecond: z.int().min(1).max(kilobytesPerSecondMax),
    direction: z.enum(['both', 'downstream']).default('downstream'),
  }),
  examples: [{ kilobytesPerSecond: 2 }, { kilobytesPerSecond: 2, direction: 'both' }],
  ...byToxic<SlowClients>(
    kind,
    ({ kilobytesPerSecond }) => ({ type: 'bandwidth', attributes: { rate: kilobytesPerSecond } }),
    ({ direction }) => direction,
  ),
  bites: ({ outcome, ms }, { kilobytesPerSecond }) =>
    outcome === 'silent' || ms >= (answerBytesMin / kilobytesPerSecond) * 0.9,
  describe: ({ kilobytesPerSecond, direction }) =>
    `The clients ${direction === 'both' ? 'read and wrote' : 'read'} no faster than ${kilobytesPerSecond} kB/s`,
});
