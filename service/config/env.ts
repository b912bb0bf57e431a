// The service's settings: one row each. All mistakes are found in one reading, and the table of README.md is made from these rows.

import type { Policy } from '../core/store.ts';
import type { HostPort, RedisAddress } from '../redis/options.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly redis: RedisAddress;
  readonly policy: Policy;
  /** Of all instances together; each has its share of the refill. */
  readonly fallbackPolicy: Policy;
  /** Instances that share the limit; undefined: they are counted in Redis. */
  readonly instances: number | undefined;
  /** Processes that serve the port. */
  readonly workers: number;
  /** Lower-case name of the header whose value is the key; undefined: the client's address is. */
  readonly keyHeader: string | undefined;
  readonly redisTimeoutMs: number;
  readonly breakerFailures: number;
  readonly breakerResetMs: number;
  readonly fallbackKeysMax: number;
  readonly logLevel: string;
}

interface Row {
  readonly name: string;
  readonly default: string;
  readonly unit: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly secret?: true;
  /** The value, or undefined when it is not allowed. */
  readonly parse: (text: string) => unknown;
}

/** A whole number from `min` to `max`. */
const whole = (min: number, max: number) => ({
  allowed: `a whole number from ${min} to ${max}`,
  parse: (text: string) =>
    /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined,
});

const optional = (allowed: string, pattern: RegExp) => ({
  allowed: `nothing, or ${allowed}`,
  parse: (text: string) => (text === '' || pattern.test(text) ? text : undefined),
});

/** Comma-separated addresses. */
const addresses = {
  allowed: 'nothing, or host:port,host:port…',
  parse: (text: string) => {
    const all = text === '' ? [] : text.split(',').map((part) => hostPortOf(part.trim()));
    return all.includes(undefined) ? undefined : all;
  },
};

const logLevels = ['silent', 'error', 'warn', 'info', 'debug'];

export const configRows = [
  {
    name: 'HOST',
    default: '127.0.0.1',
    unit: '',
    meaning: 'address to listen on',
    allowed: 'a host name or address',
    parse: (text) => (/^[\w.:-]+$/.test(text) ? text : undefined),
  },
  { name: 'PORT', default: '8080', unit: '', meaning: 'port to listen on', ...whole(1, 65535) },
  {
    name: 'REDIS_ADDR',
    default: 'localhost:6379',
    unit: '',
    meaning: 'the one Redis, as host:port',
    allowed: 'host:port',
    parse: hostPortOf,
  },
  {
    name: 'REDIS_URL',
    default: '',
    unit: '',
    meaning: 'the one Redis, with user, password, database and TLS; wins over `REDIS_ADDR`',
    secret: true,
    allowed: 'nothing, or redis://… or rediss://… with an optional user, password and database',
    parse: (text) => (text === '' ? null : redisUrlOf(text)),
  },
  {
    name: 'REDIS_CLUSTER_ADDRS',
    default: '',
    unit: '',
    meaning: 'Redis Cluster: some of its nodes, as host:port,host:port…; user, password and TLS come from `REDIS_URL`',
    ...addresses,
  },
  {
    name: 'REDIS_SENTINEL_ADDRS',
    default: '',
    unit: '',
    meaning: 'Sentinels, as host:port,host:port…; user, password, database and TLS come from `REDIS_URL`',
    ...addresses,
  },
  {
    name: 'REDIS_SENTINEL_NAME',
    default: '',
    unit: '',
    meaning: 'what the Sentinels call the master',
    ...optional('a name without spaces', /^\S+$/),
  },
  {
    name: 'RATE_LIMIT',
    default: '5',
    unit: 'tokens',
    meaning: "capacity of a key's bucket",
    ...whole(1, 1_000_000),
  },
  {
    name: 'RATE_LIMIT_WINDOW_SEC',
    default: '10',
    unit: 's',
    meaning: 'time in which an empty bucket refills',
    ...whole(1, 86_400),
  },
  {
    name: 'RATE_LIMIT_BURST',
    default: '5',
    unit: 'tokens',
    meaning: "capacity of a key's fallback bucket on one instance",
    ...whole(1, 1_000_000),
  },
  {
    name: 'INSTANCES',
    default: '',
    unit: '',
    meaning:
      'number of instances that share the limit; a fallback bucket refills at the policy’s rate divided by this number. Without it the instances count themselves in Redis',
    allowed: 'nothing, or a whole number from 1 to 10000',
    parse: (text) => (text === '' ? null : whole(1, 10_000).parse(text)),
  },
  {
    name: 'KEY_HEADER',
    default: '',
    unit: '',
    meaning:
      'request header whose value is the key. The service believes the header, so only a proxy that overwrites it may set it. A client can write `X-Forwarded-For` itself and so choose its key. Without the variable or the header, the key is the address of the peer; behind a proxy that is the address of the proxy',
    ...optional('a header name', /^[!#$%&'*+.^_`|~\w-]+$/),
  },
  {
    name: 'REDIS_TIMEOUT_MS',
    default: '5',
    unit: 'ms',
    meaning: 'deadline of one call to Redis; a decision never waits longer',
    ...whole(1, 60_000),
  },
  {
    name: 'BREAKER_FAILURES',
    default: '3',
    unit: 'calls',
    meaning: 'failed calls in a row that open the breaker',
    ...whole(1, 1000),
  },
  {
    name: 'BREAKER_RESET_MS',
    default: '1000',
    unit: 'ms',
    meaning: 'time until an open breaker probes Redis, ± 20 %',
    ...whole(10, 600_000),
  },
  {
    name: 'FALLBACK_MAX_KEYS',
    default: '100000',
    unit: 'keys',
    meaning: 'fallback buckets held in memory; further keys share 4,096 overflow buckets',
    ...whole(1, 10_000_000),
  },
  {
    name: 'WORKERS',
    default: '1',
    unit: 'processes',
    meaning: 'processes that serve the port together; each has its share of `RATE_LIMIT_BURST` and `FALLBACK_MAX_KEYS`',
    ...whole(1, 256),
  },
  {
    name: 'LOG_LEVEL',
    default: 'info',
    unit: '',
    meaning: 'least severe level to log',
    allowed: `one of ${logLevels.join(', ')}`,
    parse: (text) => (logLevels.includes(text) ? text : undefined),
  },
] as const satisfies readonly Row[];

type Name = (typeof configRows)[number]['name'];

/** Every mistake in the environment, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the settings. Throws a `ConfigError` that names every bad variable, its value unless secret, and what is allowed. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = [];
  const values = new Map<Name, unknown>();
  for (const row of configRows as readonly Row[] & typeof configRows) {
    const text = env[row.name] ?? row.default;
    const value = row.parse(text);
    const shown = (row as Row).secret ? 'a value that is not shown' : JSON.stringify(text);
    if (value === undefined) mistakes.push(`${row.name} is ${shown}; allowed: ${row.allowed}`);
    values.set(row.name, value);
  }
  const text = (name: Name) => values.get(name) as string;
  const number = (name: Name) => values.get(name) as number;
  const redis = redisAddressOf(values, mistakes);
  if (mistakes.length > 0 || !redis) throw new ConfigError(mistakes.join('\n'));

  const refillPerSecond = number('RATE_LIMIT') / number('RATE_LIMIT_WINDOW_SEC');
  return {
    host: text('HOST'),
    port: number('PORT'),
    redis,
    policy: { name: 'default', capacity: number('RATE_LIMIT'), refillPerSecond },
    fallbackPolicy: { name: 'default', capacity: number('RATE_LIMIT_BURST'), refillPerSecond },
    instances: number('INSTANCES') ?? undefined,
    workers: number('WORKERS'),
    keyHeader: text('KEY_HEADER').toLowerCase() || undefined,
    redisTimeoutMs: number('REDIS_TIMEOUT_MS'),
    breakerFailures: number('BREAKER_FAILURES'),
    breakerResetMs: number('BREAKER_RESET_MS'),
    fallbackKeysMax: number('FALLBACK_MAX_KEYS'),
    logLevel: text('LOG_LEVEL'),
  };
}

interface RedisUrl extends HostPort {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  readonly db: number;
}

/** Where Redis is, by the variables that say so; those that contradict each other are mistakes. */
function redisAddressOf(values: ReadonlyMap<Name, unknown>, mistakes: string[]): RedisAddress | undefined {
  const url = values.get('REDIS_URL') as RedisUrl | null | undefined;
  const nodes = (values.get('REDIS_CLUSTER_ADDRS') ?? []) as HostPort[];
  const sentinels = (values.get('REDIS_SENTINEL_ADDRS') ?? []) as HostPort[];
  const name = values.get('REDIS_SENTINEL_NAME') as string;
  const { username, password, tls = false, db = 0 } = url ?? {};
  if (nodes.length > 0 && sentinels.length > 0) {
    mistakes.push('REDIS_CLUSTER_ADDRS and REDIS_SENTINEL_ADDRS are both set; allowed: one of them');
  }
  if (sentinels.length > 0 !== Boolean(name)) {
    const missing = name ? 'REDIS_SENTINEL_ADDRS' : 'REDIS_SENTINEL_NAME';
    mistakes.push(`${missing} is not set; allowed: both REDIS_SENTINEL_ADDRS and REDIS_SENTINEL_NAME, or neither`);
  }
  if (nodes.length > 0) {
    if (db !== 0)
      mistakes.push(`REDIS_URL names database ${db}; allowed with REDIS_CLUSTER_ADDRS: 0, a cluster has no other`);
    return { kind: 'cluster', nodes, username, password, tls };
  }
  if (sentinels.length > 0) return { kind: 'sentinel', sentinels, name, username, password, tls, db };
  const at = url ?? (values.get('REDIS_ADDR') as HostPort | undefined);
  return at && { kind: 'single', host: at.host, port: at.port, username, password, tls, db };
}

/** `host:port`, the host a name, an IPv4 address or an IPv6 address in brackets. */
function hostPortOf(text: string): HostPort | undefined {
  if (!/^(\[[\da-fA-F:]+\]|[\w.-]+):\d{1,5}$/.test(text)) return undefined;
  const url = redisUrlOf(`redis://${text}`);
  return url && { host: url.host, port: url.port };
}

function redisUrlOf(text: string): RedisUrl | undefined {
  try {
    const url = new URL(text);
    const allowed =
      /^rediss?:$/.test(url.protocol) && url.hostname !== '' && url.port !== '0' && /^\/?\d*$/.test(url.pathname);
    if (!allowed) return undefined;
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 6379),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      tls: url.protocol === 'rediss:',
      db: Number(url.pathname.slice(1)),
    };
  } catch {
    return undefined;
  }
}
