// `/v1/auth`: a proxy asks whether a request of its client may pass. It says which request in three headers, and must
// overwrite what the client wrote there.
//
//   X-Forwarded-Method: POST   X-Forwarded-Uri: /login?a=1   X-Forwarded-For: …, 192.0.2.1 (with TRUST_PROXY)
//
// The answer is 200, or the refusal. Some proxies pass on only certain statuses: `/v1/auth?refused=403` refuses with that
// one, and tells the real one in `X-RateLimit-Status`.

import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { clipped } from './clipped.ts';
import { problem } from './headers.ts';
import { type Gate, realStatusHeader } from './middleware.ts';
import { queryIn } from './request-target.ts';

export function forwardAuth(gate: Gate): RequestHandler {
  return (request, response) => {
    const { 'x-forwarded-method': method, 'x-forwarded-uri': url } = request.headers;
    const { refused } = queryIn(request.url);
    const isStatus = refused === undefined || /^4\d\d$/.test(String(refused));
    const mistake =
      missing('X-Forwarded-Method', method) ??
      missing('X-Forwarded-Uri', url) ??
      notOne('X-Forwarded-Method', request, (text) => /^[\w!#$%&'*+.^`|~-]+$/.test(text)) ??
      notOne('X-Forwarded-Uri', request, () => true) ??
      (isStatus ? undefined : 'refused is not a status from 400 to 499.');
    const refusedStatus = refused !== undefined && isStatus ? Number(refused) : undefined;
    if (mistake) {
      if (refusedStatus !== undefined) response.setHeader(realStatusHeader, '400');
      response
        .status(refusedStatus ?? 400)
        .type('application/problem+json')
        .end(problem(400, 'Bad request', mistake));
      return;
    }
    const asked = {
      method: String(method).toUpperCase(), // another spelling must not lead past a policy
      url: String(url),
      ...(refusedStatus === undefined ? {} : { refusedStatus }),
    };
    return gate(
      request,
      response,
      (headers) => void response.writeHead(200, [...headers, 'Content-Length', '0']).end(),
      asked,
    );
  };
}

function missing(name: string, value: unknown): string | undefined {
  return value === undefined || value === ''
    ? `The header ${name} is missing: it says what the client asked for.`
    : undefined;
}

/**
 * A proxy that adds its header to the one of its client, in place of overwriting it, would let the client choose: Node joins
 * the two by a comma, and no policy is for what comes of that.
 */
function notOne(
  name: 'X-Forwarded-Method' | 'X-Forwarded-Uri',
  request: IncomingMessage,
  isOne: (text: string) => boolean,
): string | undefined {
  const field = name.toLowerCase();
  const text = String(request.headers[field]);
  const isTwice = text.includes(', ') && (request.headersDistinct[field]?.length ?? 0) > 1;
  if (!isTwice && isOne(text)) return undefined;
  const thing = name === 'X-Forwarded-Method' ? 'method' : 'path, once';
  return `The header ${name} is ${clipped(JSON.stringify(text))}; allowed: one ${thing}.`;
}
