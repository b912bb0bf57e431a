// The limiter at the door of an HTTP server: take, decision, headers, and on or out. `gate` is for a bare node:http
// listener, `rateLimit` the same as Express middleware.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Decision, Store } from '../core/store.ts';
import { decisionHeaders, type Headers, problem, quotaExceeded, reducedCapacity } from './headers.ts';
import { claimOf, type Policy } from './policy.ts';
import { factsOf } from './request-facts.ts';

export interface GateOptions {
  readonly limiter: Store;
  /** All that are for a request must allow it. One that none is for is let through, without a word about limits. */
  readonly policies: readonly Policy[];
  /** A policy, by its name, cannot count a request: it lacks the key, or has a cost that is not allowed. */
  readonly onMistake: (policy: string) => void;
  /** A defect of ours in what nobody waits for. */
  readonly onDefect: (error: unknown) => void;
}

/**
 * Answers the request that is refused; hands the one that is let through to `onward`, with the headers that its answer
 * must have. The promise, where there is one, rejects only on a defect of ours.
 */
export type Gate = (
  request: IncomingMessage,
  response: ServerResponse,
  onward: (headers: Headers) => void,
) => void | Promise<void>;

export function createGate({ limiter, policies, onMistake, onDefect }: GateOptions): Gate {
  return (request, response, onward) => {
    // 1. What does it take?
    const { take, shadows, mistakes } = claimOf(policies, factsOf(request));
    for (const { policy } of mistakes) onMistake(policy.name);
    const mistake = mistakes.find(({ policy }) => !policy.isShadow);
    if (mistake) {
      response.writeHead(400, { 'Content-Type': 'application/problem+json' });
      response.end(problem(400, mistake.title, mistake.detail));
      return;
    }

    // 2. Decide.
    for (const shadow of shadows) new Promise((done) => done(limiter.decide(shadow))).catch(onDefect);
    if (take === undefined) return onward([]);
    const decision = limiter.decide(take);
    return decision instanceof Promise ? decision.then(decided) : decided(decision);

    function decided(decision: Decision) {
      // 3. Tell.
      const headers = decisionHeaders(decision, Date.now());

      // 4. On or out.
      if (decision.allowed) return onward(headers);
      const isClosed = decision.mechanism === 'closed';
      const body = isClosed ? reducedCapacity(decision) : quotaExceeded(decision);
      headers.push('Content-Type', 'application/problem+json', 'Content-Length', String(body.length));
      response.writeHead(isClosed ? 503 : 429, headers).end(body, 'latin1'); // in one write; a denial must cost little
    }
  };
}

export function rateLimit(gate: Gate): RequestHandler {
  return (request, response, next) =>
    gate(request, response, (headers) => {
      for (let i = 0; i < headers.length; i += 2) response.setHeader(headers[i] as string, headers[i + 1] as string);
      next();
    });
}
