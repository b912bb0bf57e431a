// express-rate-limit on Redis by rate-limit-redis. It counts in fixed windows, and decides by Redis alone; with
// passOnStoreError it admits whatever Redis does not answer. That is no fallback with a bound of its own, so it is held to
// the same bound.

import { join } from 'node:path';
import { type KnownTarget, plain, withoutFallback } from './target.ts';

export const expressRateLimit: KnownTarget = {
  ...plain,
  name: 'express-rate-limit',
  about: '`express-rate-limit` with `rate-limit-redis` and `ioredis`, as their READMEs show them',
  start: { node: join(import.meta.dirname, 'express-rate-limit-server.ts') },
  topologies: ['single'],
  fixedWindow: true,
  bounds: withoutFallback,
};

export const expressRateLimitPassOnStoreError: KnownTarget = {
  ...expressRateLimit,
  name: 'express-rate-limit-pass-on-store-error',
  about: 'the same with `passOnStoreError: true`',
  env: { PASS_ON_STORE_ERROR: 'true' },
};
