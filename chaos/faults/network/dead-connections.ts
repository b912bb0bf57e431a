// A share of the connections is dead: what is sent on one of them is held back until the fault is healed. The others are
// sound. Toxiproxy's `bandwidth` 0 with a toxicity under 1: it draws for each connection, old or new.

import { defineFault } from '../fault.ts';
import { byToxic, looksFor, ofStoreLinks, type Partly, partly } from './toxics.ts';

const kind = 'dead-connections';

export const deadConnections = defineFault<Partly>({
  kind,
  ...ofStoreLinks,
  params: partly,
  examples: [{ share: 0.5 }],
  effect: () => 'degraded', // a limiter of one connection is cut off, or feels nothing of it
  ...byToxic<Partly>(
    kind,
    ({ share }) => ({ type: 'bandwidth', attributes: { rate: 0 }, toxicity: share }),
    () => 'upstream',
  ),
  looks: looksFor,
  bites: ({ outcome }) => outcome === 'silent',
  describe: ({ share }) => `Of the connections to Redis ${share * 100} % were dead`,
});
