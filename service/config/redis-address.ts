// Addresses and URLs of Redis as the settings write them. What is accepted means exactly what it says: nothing is
// trimmed, normalised or left out of account, so that a mistake is one at the start and not another database at night.

import { isIPv4, isIPv6 } from 'node:net';
import type { HostPort, NatMap, RedisAddress } from '../redis/options.ts';

/** By which a Redis is reached, and as whom. */
export interface RedisUrl {
  /** Where it is: an address, or the path of a Unix socket. */
  readonly at: HostPort | { readonly path: string };
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  readonly db: number;
}

/** Redis can have more, and nobody has. */
const dbMax = 9999;
/** Bytes of a Unix socket's path: what the kernel keeps of it, and a zero. */
const pathBytesMax = 107;

/** An IP address as everybody writes it, and not as inet_aton reads it: `0`, `127.1` and `0x7f000001` are none. */
export function isHost(text: string): boolean {
  return isIPv6(text) || isIPv4(text) || isHostName(text);
}

/** A DNS name. One that ends in a number is read as an IPv4 address by somebody: https://url.spec.whatwg.org/#ends-in-a-number-checker */
function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  const isName = text.length <= 253 && labels.every((label) => /^(?!-)[\w-]{1,63}(?<!-)$/.test(label));
  return isName && !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) as string);
}

/** `host:port`, the host a name, an IPv4 address or an IPv6 address in brackets. */
export function hostPortOf(text: string): HostPort | undefined {
  const [, bracketed, bare, port] = /^(?:\[([\da-f:.]+)\]|([^\s:[\]]+)):([1-9]\d{0,4})$/i.exec(text) ?? [];
  const fits = bracketed ? isIPv6(bracketed) : bare !== undefined && isHost(bare);
  if (!fits || Number(port) > 65_535) return undefined;
  return { host: (bracketed ?? bare) as string, port: Number(port) };
}

/** Comma-separated addresses. */
export function hostPortsOf(text: string): readonly HostPort[] | undefined {
  const all = text === '' ? [] : text.split(',').map((part) => hostPortOf(part.trim()));
  return all.includes(undefined) ? undefined : (all as HostPort[]);
}

/** Comma-separated `named=reachable`, each a host:port. */
export function natMapOf(text: string): NatMap | undefined {
  const map: Record<string, HostPort> = {};
  for (const part of text === '' ? [] : text.split(',')) {
    const [named, reachable, ...more] = part.trim().split('=').map(hostPortOf);
    if (!named || !reachable || more.length > 0) return undefined;
    const key = `${named.host}:${named.port}`; // as ioredis writes it
    if (map[key]) return undefined;
    map[key] = reachable;
  }
  return map;
}

/**
 * `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, or
 * `redis+unix://[user:password@]/path[?db=database]`, for short `unix://`.
 */
export function redisUrlOf(text: string): RedisUrl | undefined {
  const [, scheme, user, rest] = /^([a-z+]+):\/\/(?:([^/?#\s]*)@)?([^@#\s]*)$/i.exec(text) ?? [];
  const credentials = credentialsOf(user);
  if (scheme === undefined || rest === undefined || !credentials) return undefined;
  if (/^(redis\+)?unix$/i.test(scheme)) {
    const [, path, db] = /^(\/[^?]*[^/?])(?:\?db=(.*))?$/.exec(rest) ?? [];
    const decoded = decodedOf(path);
    const database = databaseOf(db);
    if (!decoded || /\0/.test(decoded) || Buffer.byteLength(decoded) > pathBytesMax || database === undefined)
      return undefined;
    return { at: { path: decoded }, ...credentials, tls: false, db: database };
  }
  if (!/^rediss?$/i.test(scheme)) return undefined;
  const [, place, port, db] = /^(\[[^\]]*\]|[^:/?]*)(:\d+)?(?:\/(\d*))?$/.exec(rest) ?? [];
  const at = place === undefined ? undefined : hostPortOf(`${place}${port ?? ':6379'}`);
  const database = databaseOf(db || undefined);
  if (!at || database === undefined) return undefined;
  return { at, ...credentials, tls: /^rediss$/i.test(scheme), db: database };
}

function databaseOf(text = '0'): number | undefined {
  return /^(0|[1-9]\d{0,3})$/.test(text) && Number(text) <= dbMax ? Number(text) : undefined;
}

/** `user:password` or `:password`; a user without one would be no user to Redis. */
function credentialsOf(text: string | undefined): Pick<RedisUrl, 'username' | 'password'> | undefined {
  if (text === undefined) return { username: undefined, password: undefined };
  const colon = text.indexOf(':');
  const username = decodedOf(text.slice(0, Math.max(colon, 0)));
  const password = decodedOf(text.slice(colon + 1));
  if (colon === -1 || username === undefined || password === undefined || text === ':') return undefined;
  return { username: username || undefined, password };
}

function decodedOf(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export interface RedisSettings {
  readonly url: RedisUrl | undefined;
  readonly address: HostPort | undefined;
  readonly nodes: readonly HostPort[];
  readonly sentinels: readonly HostPort[];
  readonly sentinelName: string;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly natMap: NatMap;
}

/** Where Redis is, by the variables that say so; those that contradict each other are mistakes. */
export function redisAddressOf(settings: RedisSettings, mistakes: string[]): RedisAddress | undefined {
  const { url, nodes, sentinels, sentinelName: name, natMap } = settings;
  const { username, password, tls = false, db = 0, at = settings.address } = url ?? {};
  const several = nodes.length > 0 ? 'REDIS_CLUSTER_ADDRS' : 'REDIS_SENTINEL_ADDRS';
  const isSeveral = nodes.length > 0 || sentinels.length > 0;
  if (nodes.length > 0 && sentinels.length > 0) {
    mistakes.push('REDIS_CLUSTER_ADDRS and REDIS_SENTINEL_ADDRS are both set; allowed: one of them');
  }
  if (sentinels.length > 0 !== Boolean(name)) {
    const missing = name ? 'REDIS_SENTINEL_ADDRS' : 'REDIS_SENTINEL_NAME';
    mistakes.push(`${missing} is not set; allowed: both REDIS_SENTINEL_ADDRS and REDIS_SENTINEL_NAME, or neither`);
  }
  if (sentinels.length === 0 && (settings.sentinelUsername || settings.sentinelPassword)) {
    mistakes.push('REDIS_SENTINEL_ADDRS is not set; allowed: a user and a password for Sentinels only with it');
  }
  if (settings.sentinelUsername && !settings.sentinelPassword) {
    mistakes.push('REDIS_SENTINEL_PASSWORD is not set; allowed: a user only with a password');
  }
  if (isSeveral && at && 'path' in at) {
    mistakes.push(`REDIS_URL names a Unix socket; allowed with ${several}: redis://… or rediss://…`);
  }
  if (!isSeveral && Object.keys(natMap).length > 0) {
    mistakes.push('REDIS_NAT_MAP is set; allowed: only with REDIS_CLUSTER_ADDRS or REDIS_SENTINEL_ADDRS');
  }
  if (nodes.length > 0) {
    if (db !== 0)
      mistakes.push(`REDIS_URL names database ${db}; allowed with REDIS_CLUSTER_ADDRS: 0, a cluster has no other`);
    return { kind: 'cluster', nodes, natMap, username, password, tls };
  }
  if (sentinels.length > 0) {
    const { sentinelUsername, sentinelPassword } = settings;
    return {
      kind: 'sentinel',
      sentinels,
      name,
      sentinelUsername,
      sentinelPassword,
      natMap,
      username,
      password,
      tls,
      db,
    };
  }
  if (!at) return undefined;
  if ('path' in at) return { kind: 'unix', path: at.path, username, password, tls, db };
  return { kind: 'single', host: at.host, port: at.port, username, password, tls, db };
}
