// The limiter as middleware of Express 4 and 5.
//
//   app.use(rateLimit({ limiter }));

import type { ServerResponse } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { createRequestGate, type RateLimitOptions, type Verdict } from './request-gate.ts';

const use = 'app.use(rateLimit({ limiter }))';

/**
 * Middleware that answers what may not go on with 429 and `application/problem+json`, and tells every answer its limits. The
 * client's address is `request.ip`: behind a proxy, set Express's `trust proxy`. Throws an `OptionsError`.
 *
 * @example
 * app.use(rateLimit({ limiter }));
 * app.post('/login', rateLimit({ limiter, policy: 'login', key: (request) => request.body.user }), login);
 */
export function rateLimit(options: RateLimitOptions<Request>): RequestHandler {
  const gate = createRequestGate(options, ({ ip, socket }) => ip ?? socket.remoteAddress, use);
  return (request, response, next) => {
    gate(request).then((verdict) => {
      let isAnswered: boolean;
      try {
        isAnswered = tell(verdict, response);
      } catch (error) {
        next(error);
        return;
      }
      if (!isAnswered) next();
    }, next);
  };
}

/** Whether the request is answered with it. One that somebody has answered meanwhile is told nothing. */
function tell(verdict: Verdict | undefined, response: ServerResponse): boolean {
  if (!verdict || response.headersSent) return false;
  for (const name of verdict.without) response.removeHeader(name);
  for (const [name, value] of verdict.headers) response.setHeader(name, value);
  if (!verdict.refusal) return false;
  response.statusCode = verdict.refusal.status;
  response.setHeader('Content-Type', verdict.refusal.contentType);
  response.end(verdict.refusal.body);
  return true;
}
