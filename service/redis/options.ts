// Where Redis is, and how ioredis is told to behave. Its defaults hide an outage behind queues and retries; here the
// caller has a better answer at hand.

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
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

/** What no message may show. */
export function secretsOf(address: RedisAddress): readonly string[] {
  const passwords = [address.password, address.kind === 'sentinel' ? address.sentinelPassword : undefined];
  return passwords.flatMap((password) => (password ? [password, encodeURIComponent(password)] : []));
}

const connectMsMax = 500;
/** Longest wait between two attempts to connect, before jitter; shortest between two because of READONLY. */
const reconnectMsMax = 500;

/** Wait before the n-th attempt to connect again, in milliseconds; jittered, so that instances do not come in one wave. */
export function retryMs(attempt: number): number {
  return Math.round(Math.min(25 * 2 ** attempt, reconnectMsMax) * (0.5 + Math.random() / 2));
}

/**
 * Of every connection, whatever the topology. `socketTimeoutMs`: a connection that is silent for so long with calls in
 * flight is given up; a slow schedule, and not each timeout, or reconnecting would make storms.
 */
export function connectionOptions({ username, password, tls }: Credentials, socketTimeoutMs = 2000) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
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
