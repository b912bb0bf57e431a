// A share of the connections is dead: what is sent on one of them is held back until the fault is healed. The others are
// sound. Toxiproxy's `bandwidth` 0 with a toxicity under 1: it draws for each connection, old or new.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, ofStoreLinks } from './toxics.ts';

interface DeadConnections {
  readonly share: number;
}

const [shareMin, shareMax] = [0.2, 0.8];
/** The chance that none of the connections that the lab looks through is dead. */
const missed = 1e-6;

const kind = 'dead-connections';

export const deadConnections = defineFault<DeadConnections>({
  kind,
  ...ofStoreLinks,
  params: z.strictObject({ share: z.number().min(shareMin).max(shareMax) }),
  examples: [{ share: 0.5 }],
  effect: () => 'degraded', // a limiter of one connection is cut off, or feels nothing of it
  ...byToxic<DeadConnections>(
    kind,
    ({ share }) => ({ type: 'bandwidth', attributes: { rate: 0 }, toxicity: share }),
    () => 'upstream',
  ),
  looks: ({ share }) => Math.ceil(Math.log(missed) / Math.log(1 - share)),
  bites: ({ outcome }) => outcome === 'silent',
  describe: ({ share }) => `Of the connections to Redis ${share * 100} % were dead`,
});
