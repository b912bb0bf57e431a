// No limiter at all: what the lab must condemn for what it admits, and for nothing else.

import { join } from 'node:path';
import { plain, type Target } from './target.ts';

export const bare: Target = { ...plain, name: 'bare', start: { node: join(import.meta.dirname, 'bare-server.ts') } };
