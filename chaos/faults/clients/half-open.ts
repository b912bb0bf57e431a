// A share of the clients' connections is half open: the client is gone, nobody says so, and no answer reaches it until the
// fault is healed. Toxiproxy's `bandwidth` 0 with a toxicity under 1, which it draws for each connection, old or new. Not its
// `timeout`: that drops the answer, but passes on that the limiter has closed, so the client would not be gone.

import { defineFault } from '../fault.ts';
import { byToxic, looksFor, type Partly, partly } from '../network/toxics.ts';
import { ofFrontLinks } from './front-links.ts';

const kind = 'half-open';

export const halfOpen = defineFault<Partly>({
  kind,
  ...ofFrontLinks,
  params: partly,
  examples: [{ share: 0.5 }],
  ...byToxic<Partly>(
    kind,
    ({ share }) => ({ type: 'bandwidth', attributes: { rate: 0 }, toxicity: share }),
    () => 'downstream',
  ),
  looks: looksFor,
  bites: ({ outcome }) => outcome === 'silent',
  describe: ({ share }) => `Of the clients' connections ${share * 100} % were half open`,
});
