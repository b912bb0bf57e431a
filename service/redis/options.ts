// Where Redis is, and how ioredis is told to behave. Its defaults hide an outage behind queues and retries; here the
// caller has a better answer at hand.

import type { ConnectionOptions } from 'node:tls';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Whether, or also how: what Node's `tls.connect` is told. */
  readonly tls: boolean | ConnectionOptions;
}

/** By the address that a cluster or a Sentinel names, as host:port, the one that leads there from here. */
export type NatMap = Readonly<Record<string, HostPort>>;

export type RedisAddress =
  | ({ readonly kind: 'single'; readonly db: number } & HostPort & Credentials)
  | ({ readonly kind: 'unix'; readonly path: string; readonly db: number } & Credentials)
  | ({
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly name: string;
      /** Of the Sentinels themselves. */
      readonly sentinelUsername: string | undefined;
      readonly sentinelPassword: string | undefined;
      readonly natMap: NatMap;
      readonly db: number;
    } & Credentials)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly HostPort[]; readonly natMap: NatMap } & Credentials);

/** Sends one command, each of its words by itself, and resolves to Redis's reply. */
export type SendCommand = (...words: string[]) => Promise<unknown>;

/** Where Redis is, only a connection to it knows, which is somebody else's. */
export interface Borrowed {
  readonly kind: 'borrowed';
  readonly sendCommand: SendCommand;
}

/** What no message may show. */
export function secretsOf(address: RedisAddress | Borrowed): readonly string[] {
  if (address.kind === 'borrowed') return [];
  const passwords = [address.password, address.kind === 'sentinel' ? address.sentinelPassword : undefined];
  return passwords.flatMap((password) => (password ? [password, encodeURIComponent(password)] : []));
}

const connectMsMax = 500;
/** Longest wait between two attempts to connect; shortest between two because of READONLY. */
const reconnectMsMax = 500;
/** Shortest wait before the first attempt, and by how much the range is wider for each instance. */
const reconnectMsMin = 25;

/**
 * Wait before the n-th attempt to connect again, in milliseconds, of one of so many instances; undefined when nobody knows
 * how many. What ends one connection may end those of the whole fleet, which is not to come back in one wave. So each
 * instance widens the range from which the wait is drawn. Shortest and longest wait double with each attempt.
 */
export function retryMs(attempt: number, instances = Number.POSITIVE_INFINITY): number {
  const times = 2 ** (attempt - 1);
  const leastMs = Math.min(reconnectMsMin * times, reconnectMsMax / 2);
  const mostMs = Math.min(reconnectMsMin * (1 + instances) * times, reconnectMsMax);
  return Math.round(leastMs + (mostMs - leastMs) * Math.random());
}

/**
 * Of every connection, whatever the topology. `socketTimeoutMs`: a connection that is silent for so long with calls in
 * flight is given up; a slow schedule, and not each timeout, or reconnecting would make storms.
 */
export function connectionOptions({ username, password, tls }: Credentials, socketTimeoutMs = 2000) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tlsOf(tls),
    protocol: 2 as const, // RESP2 says all that is said here, and has no push messages
    enableOfflineQueue: false, // a take that cannot be sent now is answered by the fallback now
    maxRetriesPerRequest: 0, // never send a take twice: it would count twice
    autoResendUnfulfilledCommands: false, // likewise after a reconnect
    connectTimeout: connectMsMax, // ms; a SYN into the void must not hold up recovery
    socketTimeout: socketTimeoutMs,
    enableReadyCheck: false, // no INFO: the probe after 'ready' asks what matters, whether the script runs
    keepAlive: 10_000, // ms
    reconnectOnError: leavesReplica(),
    disableClientInfo: true, // no CLIENT SETINFO: Redis before 7.2 answers it with an error
  };
}

/** As ioredis is told it; nothing where the connection is in the clear. */
export function tlsOf(tls: Credentials['tls']): { readonly tls?: ConnectionOptions } {
  if (tls === false) return {};
  return { tls: tls === true ? {} : tls };
}

/** A failover may have left us with a replica, so its READONLY is a reason to connect again; now and then, for it may be a replica for good. */
function leavesReplica(): (error: Error) => boolean {
  let beforeMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    const nowMs = performance.now();
    if (!error.message.includes('READONLY') || nowMs - beforeMs < reconnectMsMax) return false;
    beforeMs = nowMs;
    return true;
  };
}
