// The limiter as middleware of Koa.
//
//   app.use(rateLimit({ limiter }));

import type { Context, Middleware } from 'koa';
import { createRequestGate, type RateLimitOptions } from './request-gate.ts';

const use = 'app.use(rateLimit({ limiter }))';

/**
 * Middleware that answers what may not go on with 429 and `application/problem+json`, and tells every answer its limits. The
 * client's address is `context.ip`: behind a proxy, set Koa's `proxy`. Throws an `OptionsError`.
 *
 * @example
 * app.use(rateLimit({ limiter, key: (context) => context.get('x-api-key') }));
 */
export function rateLimit(options: RateLimitOptions<Context>): Middleware {
  const gate = createRequestGate(options, ({ ip }) => ip || undefined, use);
  return async (context, next) => {
    const verdict = await gate(context);
    for (const name of verdict?.without ?? []) context.remove(name);
    for (const [name, value] of verdict?.headers ?? []) context.set(name, value);
    const refusal = verdict?.refusal;
    if (!refusal) return next();
    context.status = refusal.status;
    context.type = refusal.contentType;
    context.body = refusal.body;
  };
}
