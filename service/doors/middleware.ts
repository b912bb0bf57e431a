// The limiter at the door of an HTTP server: key, decision, headers, and on or out. `gate` is for a bare node:http
// listener, `rateLimit` the same as Express middleware.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Limit } from '../core/limit.ts';
import { type Decision, type Store, takeOf } from '../core/store.ts';
import { headerKeyOf, keyLengthMax, keyOfAddress, keyOfHeader } from './client-key.ts';
import { decisionHeaders, type Headers, problem, quotaExceeded } from './headers.ts';

export interface GateOptions {
  readonly limiter: Store;
  /** All of them must allow a request. */
  readonly limits: readonly Limit[];
  /** Lower-case name of the header whose value is the key. */
  readonly keyHeader: string | undefined;
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

export function createGate({ limiter, limits, keyHeader }: GateOptions): Gate {
  return (request, response, onward) => {
    // 1. Whose bucket?
    const named = headerKeyOf(request, keyHeader);
    if (named !== undefined && named.length > keyLengthMax) {
      const detail = `The key in ${keyHeader} has ${named.length} characters; at most ${keyLengthMax} are allowed.`;
      response.writeHead(400, { 'Content-Type': 'application/problem+json' });
      response.end(problem(400, 'Key too long', detail));
      return;
    }
    const key = named === undefined ? keyOfAddress(request.socket.remoteAddress) : keyOfHeader(named);

    // 2. Decide.
    const decision = limiter.decide(takeOf(limits, key, 1));
    return decision instanceof Promise ? decision.then(decided) : decided(decision);

    function decided(decision: Decision) {
      // 3. Tell.
      const headers = decisionHeaders(decision, Date.now());

      // 4. On or out.
      if (decision.allowed) return onward(headers);
      const body = quotaExceeded(decision);
      headers.push('Content-Type', 'application/problem+json', 'Content-Length', String(body.length));
      response.writeHead(429, headers).end(body, 'latin1'); // in one write; a denial must cost little
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
