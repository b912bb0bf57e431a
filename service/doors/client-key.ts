// Whose bucket a request takes from: the value of a header, or the address that it comes from. The kind of key is part of
// the name, so that a header which says `127.0.0.1` is never the client at that address.
//
//   x-key: alice ─▶ key:alice        127.0.0.1 ─▶ address:127.0.0.1

import type { IncomingHttpHeaders } from 'node:http';
import { textOfBytes } from './utf8-bytes.ts';

/** Longest value of the header, in characters. Longer ones are refused: a key costs memory here and in Redis. */
export const keyLengthMax = 256;

/**
 * The value of a header, as a key. Of credentials the scheme may be in any case, and any blanks behind it (RFC 9110 §11.4):
 * another spelling is nobody else.
 */
export function keyTextOf(header: string, value: string): string {
  const text = textOfBytes(value);
  if (header !== 'authorization') return text;
  return text.replace(/^(\S+)[ \t]+/, (_, scheme: string) => `${scheme.toLowerCase()} `);
}

/** The header's value; undefined where there is none, or an empty one. */
export function headerKeyOf(headers: IncomingHttpHeaders, header: string | undefined): string | undefined {
  const value = header === undefined ? undefined : headers[header];
  return typeof value === 'string' && value !== '' ? keyTextOf(header as string, value) : undefined;
}

/** The name of the bucket that belongs to a header's value. */
export function keyOfHeader(value: string): string {
  return `key:${value}`;
}

/** The name of the bucket that belongs to an address, as `clientAddress` has it. */
export function keyOfAddress(address = 'unknown'): string {
  return `address:${address}`;
}
