// This project's own limiter. It tells who decided, what remains, and how its breaker moves; a run begins when it decides
// by Redis.

import { join } from 'node:path';
import { reportables } from '../history.ts';
import { storeFailureModes } from './policies.ts';
import { type KnownTarget, plain } from './target.ts';

export const failopen: KnownTarget = {
  ...plain,
  name: 'failopen',
  about: "this project's own limiter",
  start: { node: join(import.meta.dirname, '..', '..', 'service', 'main.ts') },
  answer: {
    ...plain.answer,
    remaining: [{ header: 'X-RateLimit-Remaining' }],
    withoutStore: { words: storeFailureModes, refused: { status: 503 } },
  },
  ready: [{ path: '/readyz', pointer: '/mechanism', equals: 'redis' }],
  breaker: { path: '/readyz' },
  gives: reportables,
  bounds: { memoryGrowthMiB: 64 },
};
