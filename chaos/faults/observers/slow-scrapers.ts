// Scrapers ask an instance for its metrics, and read a byte of them each second.

import { defineKept } from '../clients/kept-connections.ts';

export const slowScrapers = defineKept(
  {
    kind: 'slow-scrapers',
    family: 'observers',
    examples: [{ count: 20 }],
    describe: ({ count }) => `There were ${count} scrapers of one instance, each of which read 1 B/s`,
  },
  '/metrics',
);
