// No limiter at all: what the lab must condemn for what it admits, and for nothing else.

import { join } from 'node:path';
import { type KnownTarget, plain } from './target.ts';

export const bare: KnownTarget = {
  ...plain,
  name: 'bare',
  about: 'no limiter at all: every request is let through',
  start: { node: join(import.meta.dirname, 'bare-server.ts') },
};
