// The middleware that the wiki of rate-limiter-flexible shows, for its limiter or one that is in its place.

import type { Request, RequestHandler } from 'express';
import { keyOf, limit } from './settings.ts';

interface Res {
  readonly remainingPoints: number;
  readonly msBeforeNext: number;
}

export interface FlexibleLimiter {
  /** Rejects with a `Denial` of the limiter's package, or an error of its store. */
  consume(key: string): Promise<Res>;
}

/** An error of the store is an error of the request's. */
export function limitBy(limiter: FlexibleLimiter, Denial: new () => Res): RequestHandler {
  return async (request: Request, response, next) => {
    try {
      const { remainingPoints, msBeforeNext } = await limiter.consume(keyOf(request));
      response.set({
        'X-RateLimit-Limit': String(limit),
        'X-RateLimit-Remaining': String(remainingPoints),
        'X-RateLimit-Reset': String(Math.ceil((Date.now() + msBeforeNext) / 1000)),
      });
      next();
    } catch (denied) {
      if (!(denied instanceof Denial)) throw denied;
      response.set('Retry-After', String(Math.ceil(denied.msBeforeNext / 1000)));
      response.status(429).send('Too Many Requests');
    }
  };
}
