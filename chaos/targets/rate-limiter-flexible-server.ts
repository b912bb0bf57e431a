// The program of the targets `rate-limiter-flexible` and `rate-limiter-flexible-insured`: the middleware that the wiki of
// the package shows, on ioredis without its offline queue, as it advises. An error of the store is an error of the
// request's. The insurance limiter of a process has the process's share of the limit, as in the wiki's example.

import express from 'express';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { burst, keyOf, limit, redisAddress, serve, windowS } from './settings.ts';

const limiter = new RateLimiterRedis({
  storeClient: new Redis({ ...redisAddress, enableOfflineQueue: false }),
  points: limit,
  duration: windowS,
  ...(process.env.INSURANCE === 'true' && {
    insuranceLimiter: new RateLimiterMemory({ points: burst, duration: windowS }),
  }),
});

serve(express(), async (request, response, next) => {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(keyOf(request));
    response.set({
      'X-RateLimit-Limit': String(limit),
      'X-RateLimit-Remaining': String(remainingPoints),
      'X-RateLimit-Reset': String(Math.ceil((Date.now() + msBeforeNext) / 1000)),
    });
    next();
  } catch (denied) {
    if (!(denied instanceof RateLimiterRes)) throw denied;
    response.set('Retry-After', String(Math.ceil(denied.msBeforeNext / 1000)));
    response.status(429).send('Too Many Requests');
  }
});
