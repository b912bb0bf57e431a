// The limiter as Express middleware: key, decision, count, headers, and on or out.

import type { RequestHandler } from 'express';
import { decisionHeaders, policyHeader, problem, quotaExceeded } from './headers.ts';
import type { Limiter } from './limiter.ts';
import type { Metrics } from './metrics.ts';
import type { Mechanism, Policy } from './store.ts';

export interface MiddlewareOptions {
  readonly limiter: Limiter;
  readonly metrics: Metrics;
  /** The policy that each mechanism enforces now. */
  readonly policyOf: (mechanism: Mechanism) => Policy;
  /** Lower-case name of the header whose value is the key. */
  readonly keyHeader: string | undefined;
}

/** Longest key, in characters. Longer ones are refused: a key costs memory here and in Redis. */
export const keyLengthMax = 256;

export function rateLimit({ limiter, metrics, policyOf, keyHeader }: MiddlewareOptions): RequestHandler {
  return async (request, response, next) => {
    const startMs = performance.now();

    // 1. Whose bucket?
    const named = keyHeader === undefined ? undefined : request.headers[keyHeader];
    const key = typeof named === 'string' && named !== '' ? named : (request.socket.remoteAddress ?? 'unknown');
    if (key.length > keyLengthMax) {
      const detail = `The key in ${keyHeader} has ${key.length} characters; at most ${keyLengthMax} are allowed.`;
      response.writeHead(400, { 'Content-Type': 'application/problem+json' });
      response.end(problem(400, 'Key too long', detail));
      return;
    }

    // 2. Decide.
    const decision = await limiter.take(key, 1);

    // 3. Count.
    metrics.decided(decision, (performance.now() - startMs) / 1000);

    // 4. Tell.
    const policy = policyOf(decision.mechanism);
    response.setHeader(...policyHeader(policy));
    for (const [name, value] of decisionHeaders(policy, decision, Date.now())) response.setHeader(name, value);

    // 5. On or out.
    if (decision.allowed) return next();
    response.statusCode = 429;
    response.setHeader('Content-Type', 'application/problem+json');
    response.end(quotaExceeded(policy, decision));
  };
}
