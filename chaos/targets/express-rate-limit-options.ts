// What the programs on express-rate-limit tell it beside their stores: what its README shows.

import type { Options } from 'express-rate-limit';
import { keyOf, limit, windowS } from './settings.ts';

export const options: Partial<Options> = {
  windowMs: windowS * 1000,
  limit,
  standardHeaders: 'draft-8',
  legacyHeaders: false,
  keyGenerator: keyOf,
};
