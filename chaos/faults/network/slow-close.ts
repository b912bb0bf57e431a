// A connection that one side has closed stays open for `delayMs` on the other, which hears of it only then: Toxiproxy's
// `slow_close`.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

interface SlowClose {
  readonly delayMs: number;
}

const kind = 'slow-close';

export const slowClose = defineFault<SlowClose>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({ delayMs: z.int().min(100).max(60_000) }),
  examples: [{ delayMs: 500 }],
  effect: () => 'none',
  ...byToxic<SlowClose>(kind, ({ delayMs }) => ({ type: 'slow_close', attributes: { delay: delayMs } })),
  probe: ['QUIT'],
  bites: ({ outcome, ms }, { delayMs }) => outcome === 'silent' || ms >= delayMs * 0.9,
  describe: ({ delayMs }) => `A connection to Redis that one side closed stayed open on the other for ${delayMs} ms`,
});
