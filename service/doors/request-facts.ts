// What a policy looks at in a request, wherever the request itself is: here, or at a proxy that asks about it.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export interface RequestFacts {
  readonly method: string;
  /** Path and query, as the client wrote them. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The client's address; undefined when its connection is gone. */
  readonly addressOf: () => string | undefined;
}

/** Why a request cannot be decided, when that is its client's fault: answered 400. */
export interface Mistake {
  readonly title: string;
  readonly detail: string;
}

/** `trustedProxies`: how many stand between the client and here. Each adds to `X-Forwarded-For` whom it was asked by. */
export function factsOf(request: IncomingMessage, trustedProxies: number): RequestFacts {
  const { method = 'GET', url = '/', headers, socket } = request;
  return { method, url, headers, addressOf: () => addressBehind(socket.remoteAddress, headers, trustedProxies) };
}

/**
 * The address that the outermost trusted proxy was asked by. An entry that is no address ends the chain there: what
 * stands before it may be written by anybody.
 */
function addressBehind(
  peer: string | undefined,
  { 'x-forwarded-for': forwarded }: IncomingHttpHeaders,
  trustedProxies: number,
): string | undefined {
  if (trustedProxies === 0 || forwarded === undefined) return peer;
  const entries = String(forwarded).split(',').reverse();
  let address = peer;
  for (let hop = 0; hop < trustedProxies && hop < entries.length; hop++) {
    const entry = (entries[hop] as string).trim();
    if (!isIP(entry)) break;
    address = entry;
  }
  return address;
}
