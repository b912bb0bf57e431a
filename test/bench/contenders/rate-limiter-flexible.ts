// rate-limiter-flexible on Redis, in the middleware that its wiki shows, with the headers that it suggests.

import express from 'express';
import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { keyOf, limit, listen, redisPort, successful, windowS } from './common.ts';

const storeClient = new Redis({ host: '127.0.0.1', port: redisPort, enableOfflineQueue: false });
const limiter = new RateLimiterRedis({ storeClient, keyPrefix: 'rlf', points: limit, duration: windowS });
const app = express();
app.disable('x-powered-by').disable('etag');
app.use(async (request, response, next) => {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(keyOf(request.headers));
    response.setHeader('X-RateLimit-Limit', limit);
    response.setHeader('X-RateLimit-Remaining', remainingPoints);
    response.setHeader('X-RateLimit-Reset', Math.ceil((Date.now() + msBeforeNext) / 1000));
    next();
  } catch (denied) {
    if (!(denied instanceof RateLimiterRes)) throw denied;
    response.setHeader('Retry-After', Math.ceil(denied.msBeforeNext / 1000));
    response.status(429).send('Too Many Requests');
  }
});
app.get('/', successful);
listen(app);
