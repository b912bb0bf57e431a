// The program of the targets `rate-limiter-flexible` and `rate-limiter-flexible-insured`: the middleware that the wiki of
// the package shows, on ioredis without its offline queue, as it advises. The insurance limiter of a process has the
// process's share of the limit, as in the wiki's example.

import express from 'express';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { limitBy } from './flexible-middleware.ts';
import { burst, limit, redisAddress, serve, windowS } from './settings.ts';

const limiter = new RateLimiterRedis({
  storeClient: new Redis({ ...redisAddress, enableOfflineQueue: false }),
  points: limit,
  duration: windowS,
  ...(process.env.INSURANCE === 'true' && {
    insuranceLimiter: new RateLimiterMemory({ points: burst, duration: windowS }),
  }),
});

serve(express(), limitBy(limiter, RateLimiterRes));
