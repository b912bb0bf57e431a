// Whom a request comes from when proxies stand between: each adds to `X-Forwarded-For` the address that it was asked by, so
// the header is believed from its end, as far as those who wrote it are trusted.
//
//   X-Forwarded-For: 1.2.3.4, 192.0.2.1, 10.0.0.2      peer 10.0.0.1      trusted 10.0.0.0/8  ─▶  192.0.2.1

import { BlockList, isIP, isIPv4 } from 'node:net';
import { unified } from './client-address.ts';

/** How many stand in a row before here, or in which networks they are. */
export type TrustedProxies = { readonly hops: number } | { readonly networks: BlockList };

export const trustedProxiesAllowed =
  'off, a whole number from 0 to 16, or networks and addresses such as 10.0.0.0/8,fd00::/8,192.0.2.7';

/** Entries that are believed at the most: to look at one takes microseconds, and a header holds thousands. */
const entriesMax = 32;

/** Undefined for a text that is not allowed. */
export function trustedProxiesOf(text: string): TrustedProxies | undefined {
  if (text === 'off') return { hops: 0 };
  if (/^(\d|1[0-6])$/.test(text)) return { hops: Number(text) };
  const networks = new BlockList();
  return text.split(',').every((network) => add(network, networks)) ? { networks } : undefined;
}

/** Whether it is a network, which then is among `networks`. IPv4 is written as IPv4. */
function add(text: string, networks: BlockList): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (version === 6 && typeof unified(address) === 'string') return false;
  const bitsMax = version === 4 ? 32 : 128;
  const length = bits === undefined ? bitsMax : /^(0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(length <= bitsMax) || hasBitsBeyond(address, length)) return false;
  networks.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  return true;
}

/** Who writes 10.0.0.7/8 may mean one address or all of the network: it is not guessed. */
function hasBitsBeyond(address: string, length: number): boolean {
  const known = unified(address);
  const [groups, bits] = typeof known === 'string' ? [known.split('.').map(Number), 8] : [known, 16];
  return groups.some((group, i) => group % 2 ** Math.min(bits, Math.max(0, bits * (i + 1) - length)) !== 0);
}

/**
 * The address of the first who is not trusted, from the peer on; where all are, of the last that is looked at. An entry that
 * is no address ends the chain: what stands before it may be written by anybody.
 */
export function addressBehind(
  peer: string | undefined,
  forwarded: string | readonly string[] | undefined,
  trusted: TrustedProxies,
): string | undefined {
  if (peer === undefined || forwarded === undefined || ('hops' in trusted && trusted.hops === 0)) return peer;
  let address = peer;
  for (const [hop, entry] of String(forwarded).split(',').slice(-entriesMax).reverse().entries()) {
    const next = isTrusted(address, hop, trusted) ? addressIn(entry) : undefined;
    if (next === undefined) break;
    address = next;
  }
  return address;
}

function isTrusted(address: string, hop: number, trusted: TrustedProxies): boolean {
  if ('hops' in trusted) return hop < trusted.hops;
  const known = unified(address);
  return typeof known === 'string' ? trusted.networks.check(known, 'ipv4') : trusted.networks.check(address, 'ipv6');
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`. */
export function addressIn(entry: string): string | undefined {
  const text = entry.trim();
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? [];
  const address = bracketed ?? dotted ?? text;
  return isIP(address) && !(bracketed !== undefined && isIPv4(address)) ? address : undefined;
}
