// The program of the target `failopen-rate-limiter-flexible`: that of `rate-limiter-flexible`, with another import.

import express from 'express';
import { RateLimiterRedis, RateLimiterRes } from 'failopen/rate-limiter-flexible';
import { Redis } from 'ioredis';
import { limitBy } from './flexible-middleware.ts';
import { burst, instances, limit, redisAddress, serve, windowS } from './settings.ts';

const limiter = new RateLimiterRedis({
  storeClient: new Redis({ ...redisAddress, lazyConnect: true }),
  points: limit,
  duration: windowS,
  insuranceLimiter: { points: burst },
  failopen: { instances },
});

serve(express(), limitBy(limiter, RateLimiterRes));
