// The limiter as a hook of Fastify.
//
//   app.addHook('onRequest', rateLimit({ limiter }));

import type { FastifyReply, FastifyRequest } from 'fastify';
import { OptionsError } from './options-error.ts';
import { createRequestGate, type RateLimitOptions } from './request-gate.ts';

const use = "app.addHook('onRequest', rateLimit({ limiter }))";
const noPlugin = () => new OptionsError('rateLimit', [`app.register is given a hook, and no plugin; allowed: ${use}`]);

/**
 * A hook, for all routes or for one, that answers what may not go on with 429 and `application/problem+json`, and tells every
 * answer its limits. The client's address is `request.ip`: behind a proxy, set Fastify's `trustProxy`. Throws an
 * `OptionsError`.
 *
 * @example
 * app.addHook('onRequest', rateLimit({ limiter }));
 * app.post('/login', { preHandler: rateLimit({ limiter, policy: 'login' }) }, login);
 */
export function rateLimit(
  options: RateLimitOptions<FastifyRequest>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  // What a plugin throws ends the process, past whoever waits for the application; what it rejects with does not.
  if (isApplication(options)) return Promise.reject(noPlugin()) as never;
  const gate = createRequestGate(options, ({ ip }) => ip, use);
  return async (request, reply) => {
    if (isApplication(request)) throw noPlugin();
    const verdict = await gate(request);
    for (const name of verdict?.without ?? []) reply.removeHeader(name);
    for (const [name, value] of verdict?.headers ?? []) reply.header(name, value);
    const refusal = verdict?.refusal;
    if (!refusal) return undefined;
    return reply.code(refusal.status).header('Content-Type', refusal.contentType).send(refusal.body);
  };
}

function isApplication(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'addHook' in given;
}
