// The limiter as middleware of Hono.
//
//   app.use(rateLimit({ limiter }));

import type { Context, MiddlewareHandler } from 'hono';
import { mechanismHeader } from '../doors/headers.ts';
import { createRequestGate, type RateLimitOptions } from './request-gate.ts';

const use = 'app.use(rateLimit({ limiter }))';

/**
 * Middleware that answers what may not go on with 429 and `application/problem+json`, and tells every answer its limits. The
 * client's address is known with `@hono/node-server` alone: elsewhere, and behind a proxy, say a `key`. Throws an
 * `OptionsError`.
 *
 * @example
 * app.use(rateLimit({ limiter }));
 * app.post('/login', rateLimit({ limiter, policy: 'login' }), login);
 */
export function rateLimit(options: RateLimitOptions<Context>): MiddlewareHandler {
  const gate = createRequestGate(options, addressOf, use);
  return async (context, next) => {
    const verdict = await gate(context);
    const refusal = verdict?.refusal;
    const refused = refusal && context.body(refusal.body, refusal.status, { 'Content-Type': refusal.contentType });
    if (refused) context.res = refused;
    else await next();
    if (context.res.headers.has(mechanismHeader)) return; // a limiter behind this one has told its limits
    for (const [name, value] of verdict?.headers ?? []) context.header(name, value);
  };
}

/** Of the socket that `@hono/node-server` hands over with each request. */
function addressOf({ env }: Context): string | undefined {
  const { incoming } = (env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } };
  return incoming?.socket?.remoteAddress;
}
