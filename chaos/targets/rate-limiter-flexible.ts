// rate-limiter-flexible on Redis. It counts in fixed windows, and decides by Redis alone; or, insured, by a limiter in
// the memory of its process when Redis answers with an error.

import { join } from 'node:path';
import { type KnownTarget, plain, withoutFallback } from './target.ts';

const common = {
  ...plain,
  start: { node: join(import.meta.dirname, 'rate-limiter-flexible-server.ts') },
  topologies: ['single'],
  fixedWindow: true,
} as const;

export const rateLimiterFlexible: KnownTarget = {
  ...common,
  name: 'rate-limiter-flexible',
  about: '`rate-limiter-flexible` with `ioredis`, as its wiki shows it',
  bounds: withoutFallback,
};

export const rateLimiterFlexibleInsured: KnownTarget = {
  ...common,
  name: 'rate-limiter-flexible-insured',
  about: 'the same with an `insuranceLimiter` in memory',
  env: { INSURANCE: 'true' },
};
