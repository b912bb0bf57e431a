// The limiter at the door of an HTTP server: take, decision, headers, and on or out. `gate` is for a bare node:http
// listener, `rateLimit` the same as Express middleware.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Decision, Store } from '../core/store.ts';
import { decisionHeaders, type Headers, problem, quotaExceeded, reducedCapacity } from './headers.ts';
import { claimOf, type Policy } from './policy.ts';
import { type AddressRules, factsOf } from './request-facts.ts';

export interface GateOptions {
  readonly limiter: Store;
  /** Those of now. All that are for a request must allow it. One that none is for is let through, without a word about limits. */
  readonly policies: () => readonly Policy[];
  readonly addresses: AddressRules;
  /** A policy, by its name, cannot count a request: it lacks the key, or has a cost that is not allowed. */
  readonly onMistake: (policy: string) => void;
  /** A defect of ours in what nobody waits for. */
  readonly onDefect: (error: unknown) => void;
}

/** Tells what a refusal would be answered, where its status is another that was asked for. */
export const realStatusHeader = 'X-RateLimit-Status';

/** What the client asked for, where the request is a proxy's question about it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  /** Of every refusal; the status that it would have otherwise is told in a header. */
  readonly refusedStatus?: number;
}

/**
 * Answers the request that is refused; hands the one that is let through to `onward`, with the headers that its answer
 * must have. The promise, where there is one, rejects only on a defect of ours.
 */
export type Gate = (
  request: IncomingMessage,
  response: ServerResponse,
  onward: (headers: Headers) => void,
  asked?: Asked,
) => void | Promise<void>;

export function createGate({ limiter, policies, addresses, onMistake, onDefect }: GateOptions): Gate {
  return (request, response, onward, asked) => {
    // 1. What does it take?
    const facts = factsOf(request, addresses);
    const { take, shadows, mistakes } = claimOf(policies(), asked ? { ...facts, ...asked } : facts);
    for (const { policy } of mistakes) onMistake(policy.name);
    const mistake = mistakes.length > 0 && mistakes.find(({ policy }) => !policy.isShadow);
    if (mistake) {
      refuse(response, 400, [], problem(400, mistake.title, mistake.detail), asked);
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
      if (decision.mechanism === 'closed') refuse(response, 503, headers, reducedCapacity(decision), asked);
      else refuse(response, 429, headers, quotaExceeded(decision), asked);
    }
  };
}

/** `body`: of characters of one byte. */
function refuse(
  response: ServerResponse,
  status: number,
  headers: Headers,
  body: string,
  asked: Asked | undefined,
): void {
  if (asked?.refusedStatus !== undefined) headers.push(realStatusHeader, String(status));
  headers.push('Content-Type', 'application/problem+json', 'Content-Length', String(body.length));
  response.writeHead(asked?.refusedStatus ?? status, headers).end(body, 'latin1'); // in one write; a denial must cost little
}

export function rateLimit(gate: Gate): RequestHandler {
  return (request, response, next) =>
    gate(request, response, (headers) => {
      for (let i = 0; i < headers.length; i += 2) response.setHeader(headers[i] as string, headers[i + 1] as string);
      next();
    });
}
