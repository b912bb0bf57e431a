// Whose bucket a request takes from: the value of a header, or the address that it comes from. The kind of key is part of
// the name, so that a header which says `127.0.0.1` is never the client at that address.
//
//   x-key: alice ─▶ key:alice        127.0.0.1, ::ffff:127.0.0.1 ─▶ address:127.0.0.1

import type { IncomingHttpHeaders } from 'node:http';

/** Longest value of the header, in characters. Longer ones are refused: a key costs memory here and in Redis. */
export const keyLengthMax = 256;

/** The header's value; undefined where there is none, or an empty one. */
export function headerKeyOf(headers: IncomingHttpHeaders, header: string | undefined): string | undefined {
  const value = header === undefined ? undefined : headers[header];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The name of the bucket that belongs to a header's value. */
export function keyOfHeader(value: string): string {
  return `key:${value}`;
}

/** The name of the bucket that belongs to an address, as a socket tells it. */
export function keyOfAddress(address: string | undefined): string {
  return `address:${address === undefined ? 'unknown' : clientAddress(address)}`;
}

/**
 * One name for a client, whichever way it came: an IPv4 client of a socket that listens on IPv6 too has its IPv4 address,
 * and a link-local one has no zone, which is this machine's name for the link.
 */
export function clientAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const plain = (zone === -1 ? address : address.slice(0, zone)).toLowerCase();
  const mapped = /^(?:0{0,4}:){0,5}:?ffff:(?:([\d.]+)|([\da-f]{1,4}):([\da-f]{1,4}))$/.exec(plain);
  if (!mapped) return plain;
  const [, dotted, high = '', low = ''] = mapped;
  if (dotted !== undefined) return dotted;
  const bits = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
