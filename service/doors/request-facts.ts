// What a policy looks at in a request, wherever the request itself is: here, or at a proxy that asks about it.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

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

/** Of a request that its client has sent here. */
export function factsOf(request: IncomingMessage): RequestFacts {
  const { method = 'GET', url = '/', headers, socket } = request;
  return { method, url, headers, addressOf: () => socket.remoteAddress };
}
