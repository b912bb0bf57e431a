// The clients reset every connection by RST, `afterMs` after they opened it: Toxiproxy's `reset_peer` on the front link.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic } from '../network/toxics.ts';
import { ofFrontLinks } from './front-links.ts';

interface ClientResets {
  readonly afterMs: number;
}

const kind = 'client-resets';

export const clientResets = defineFault<ClientResets>({
  kind,
  ...ofFrontLinks,
  params: z.strictObject({ afterMs: z.int().min(0).max(1000).default(0) }),
  examples: [{}],
  ...byToxic<ClientResets>(kind, ({ afterMs }) => ({ type: 'reset_peer', attributes: { timeout: afterMs } })),
  bites: ({ outcome }) => outcome === 'closed',
  describe: ({ afterMs }) => `The clients reset every connection ${afterMs === 0 ? 'at once' : `after ${afterMs} ms`}`,
});
