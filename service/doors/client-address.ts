// One name for a client, whichever way it came. Its address is only as much of an address as tells clients apart: who has
// IPv6 has a whole network of addresses, and would have a bucket for each.
//
//   192.0.2.1, ::ffff:192.0.2.1, ::ffff:c000:201 ─▶ 192.0.2.1        2001:db8:1:2345::6789 ─▶ 2001:db8:1:2300::/56

/** `address`: valid. `ipv6Prefix`: how many bits of an IPv6 address tell clients apart. */
export function clientAddress(address: string, ipv6Prefix: number): string {
  const known = unified(address);
  return typeof known === 'string' ? known : networkOf(known, ipv6Prefix);
}

/** IPv4 as text, however it is written; the eight groups of an IPv6 address, without the zone, which is no client's. */
export function unified(address: string): string | readonly number[] {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  const [high = 0, low = 0] = groups.slice(6);
  const isIPv4 = ipv4Prefixes.some((prefix) => prefix.every((group, i) => groups[i] === group));
  return isIPv4 ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : groups;
}

/** Of addresses that hold one of IPv4: a socket's that listens on both (RFC 4291 §2.5.5.2), a translator's (RFC 6052). */
const ipv4Prefixes = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

function groupsOf(address: string): number[] {
  const [plain = ''] = address.split('%');
  const [head, tail] = plain.split('::').map((half) => half.split(':').flatMap(groupsIn)) as [number[], number[]?];
  return tail ? [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail] : head;
}

/** The group that it is, or the two that an IPv4 address at the end is. */
function groupsIn(text: string): number[] {
  if (text === '') return [];
  const [a, b, c, d] = text.split('.').map(Number) as [number, number?, number?, number?];
  return b === undefined || c === undefined || d === undefined
    ? [Number.parseInt(text, 16)]
    : [a * 256 + b, c * 256 + d];
}

/** `2001:db8:1:2300::/56`; with 128 bits the address, all of its groups. */
function networkOf(groups: readonly number[], bits: number): string {
  const kept = groups.slice(0, Math.ceil(bits / 16)).map((group, i) => {
    const left = Math.min(16, bits - 16 * i);
    return (group & (0xffff << (16 - left))).toString(16);
  });
  return bits === 128 ? kept.join(':') : `${kept.join(':')}${kept.length < 8 ? '::' : ''}/${bits}`;
}
