// The program of the target `failopen-express`: the package's middleware for Express, as its README shows it.

import express from 'express';
import { createLimiter } from 'failopen';
import { rateLimit } from 'failopen/express';
import { burst, instances, keyOf, limit, redisAddress, serve, windowS } from './settings.ts';

const limiter = createLimiter({
  redis: redisAddress,
  limits: { capacity: limit, windowSeconds: windowS, fallbackCapacity: burst },
  instances,
});
serve(express(), rateLimit({ limiter, key: keyOf }));
