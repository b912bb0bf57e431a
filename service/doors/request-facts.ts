// What a policy looks at in a request, wherever the request itself is: here, or at a proxy that asks about it.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { clientAddress } from './client-address.ts';
import { addressBehind, type TrustedProxies } from './trusted-proxies.ts';

export interface RequestFacts {
  readonly method: string;
  /** The target, as the client wrote it. One that a proxy tells in a header is as Node reads that. */
  readonly url: string;
  /** As Node reads them: a character for each byte. */
  readonly headers: IncomingHttpHeaders;
  /** The client's, as `clientAddress` has it; undefined when its connection is gone. */
  readonly addressOf: () => string | undefined;
  /** Whether several headers have the name, in lower case; without it, none has. */
  readonly hasSeveral?: (name: string) => boolean;
}

/** Why a request cannot be decided, when that is its client's fault: answered 400. */
export interface Mistake {
  readonly title: string;
  readonly detail: string;
}

/** The value of a header, or of all that have the name; undefined without it, also where every object has such a property. */
export function headerOf({ headers }: RequestFacts, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Whose address a request is taken to come from, and how much of it. */
export interface AddressRules {
  readonly trustedProxies: TrustedProxies;
  /** Bits of an IPv6 address that tell clients apart. */
  readonly ipv6Prefix: number;
}

export function factsOf(request: IncomingMessage, { trustedProxies, ipv6Prefix }: AddressRules): RequestFacts {
  const { method = 'GET', url = '/', headers, rawHeaders, socket } = request;
  const addressOf = () => {
    const address = addressBehind(socket.remoteAddress, headers['x-forwarded-for'], trustedProxies);
    return address === undefined ? undefined : clientAddress(address, ipv6Prefix);
  };
  return { method, url, headers, addressOf, hasSeveral: (name) => isThereTwice(name, rawHeaders) };
}

/** `name` is in lower case; `rawHeaders`: names and values in turn. Node keeps the first of some that come again, and joins others. */
export function isThereTwice(name: string, rawHeaders: readonly string[]): boolean {
  let found = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const other = rawHeaders[i] as string;
    if (other.length === name.length && other.toLowerCase() === name) found++;
  }
  return found > 1;
}
