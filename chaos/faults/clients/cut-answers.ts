// A connection of the clients is closed after `bytes` of its answers, in the middle of the first one: Toxiproxy's
// `limit_data` on the front link.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic } from '../network/toxics.ts';
import { ofFrontLinks } from './front-links.ts';

interface CutAnswers {
  readonly bytes: number;
}

/** The head of an answer is longer. */
const bytesMax = 60;

const kind = 'cut-answers';

export const cutAnswers = defineFault<CutAnswers>({
  kind,
  ...ofFrontLinks,
  params: z.strictObject({ bytes: z.int().min(1).max(bytesMax) }),
  examples: [{ bytes: 40 }],
  ...byToxic<CutAnswers>(
    kind,
    ({ bytes }) => ({ type: 'limit_data', attributes: { bytes } }),
    () => 'downstream',
  ),
  bites: ({ outcome }) => outcome === 'closed',
  describe: ({ bytes }) => `Every connection of the clients was closed after ${bytes} B of its first answer`,
});
