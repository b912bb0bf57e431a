// The service's settings: one row each. All mistakes are found in one reading, and the table of README.md is made from these rows.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Policy } from '../core/store.ts';
import type { HostPort, NatMap, RedisAddress } from '../redis/options.ts';
import {
  hostPortOf,
  hostPortsOf,
  isHost,
  natMapOf,
  type RedisUrl,
  redisAddressOf,
  redisUrlOf,
} from './redis-address.ts';

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
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number;
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
    /^(0|[1-9]\d*)$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined,
});

const optional = (allowed: string, pattern: RegExp) => ({
  allowed: `nothing, or ${allowed}`,
  parse: (text: string) => (text === '' || pattern.test(text) ? text : undefined),
});

/** Comma-separated addresses. */
const addresses = {
  allowed: 'nothing, or host:port,host:port…',
  parse: hostPortsOf,
};

const hostAllowed = 'an IP address, or a name that leads to one';

const logLevels = ['silent', 'error', 'warn', 'info', 'debug'];

export const configRows = [
  {
    name: 'HOST',
    default: '127.0.0.1',
    unit: '',
    meaning: 'address to listen on',
    allowed: hostAllowed,
    parse: (text) => (isHost(text) ? text : undefined),
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
    meaning: 'the one Redis, with user, password, database, TLS, or a Unix socket; wins over `REDIS_ADDR`',
    secret: true,
    allowed:
      'nothing, or redis://user:password@host:port/database, rediss://… for TLS, or redis+unix://user:password@/path?db=database; all but the host or path may be left out, and nothing else be there',
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
    ...optional('a name of letters, digits and . - _', /^[\w.-]+$/),
  },
  {
    name: 'REDIS_SENTINEL_USERNAME',
    default: '',
    unit: '',
    meaning: 'user of the Sentinels themselves, where they have one',
    ...optional('a name without spaces', /^\S+$/),
  },
  {
    name: 'REDIS_SENTINEL_PASSWORD',
    default: '',
    unit: '',
    meaning: 'password of the Sentinels themselves, where they have one',
    secret: true,
    ...optional('a password', /^.+$/s),
  },
  {
    name: 'REDIS_NAT_MAP',
    default: '',
    unit: '',
    meaning:
      'addresses that a cluster or the Sentinels name and that lead nowhere from here, each with the one to use, as named=reachable,named=reachable…',
    allowed: 'nothing, or host:port=host:port,host:port=host:port…, no address named twice',
    parse: natMapOf,
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
    name: 'KEEP_ALIVE_TIMEOUT_SEC',
    default: '65',
    unit: 's',
    meaning:
      'time after which an idle connection is closed; longer than the load balancer’s own, so that the balancer is the one to close',
    ...whole(1, 3600),
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

/** `readConfig`, and a name to listen on must lead somewhere: that is a mistake like the others. */
export async function readConfigAtStart(env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  const host = env.HOST ?? '127.0.0.1';
  const isLost = isHost(host) && !isIP(host) && (await lookup(host).catch(() => undefined)) === undefined;
  const lost = `HOST is ${JSON.stringify(host)}, a name that leads nowhere; allowed: ${hostAllowed}`;
  try {
    const config = readConfig(env);
    if (!isLost) return config;
  } catch (error) {
    throw error instanceof ConfigError && isLost ? new ConfigError(`${lost}\n${error.message}`) : error;
  }
  throw new ConfigError(lost);
}

/** Reads the settings. Throws a `ConfigError` that names every bad variable, its value unless secret, and what is allowed. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = [];
  const values = new Map<Name, unknown>();
  for (const row of configRows as readonly Row[] & typeof configRows) {
    const text = env[row.name] ?? row.default;
    const value = row.parse(text);
    // An address that holds a user and a password, where none belongs, is a secret too.
    const shown = (row as Row).secret || text.includes('@') ? 'a value that is not shown' : JSON.stringify(text);
    if (value === undefined) mistakes.push(`${row.name} is ${shown}; allowed: ${row.allowed}`);
    values.set(row.name, value);
  }
  const text = (name: Name) => values.get(name) as string;
  const number = (name: Name) => values.get(name) as number;
  const redis = redisAddressOf(
    {
      url: (values.get('REDIS_URL') as RedisUrl | null) ?? undefined,
      address: values.get('REDIS_ADDR') as HostPort | undefined,
      nodes: (values.get('REDIS_CLUSTER_ADDRS') ?? []) as HostPort[],
      sentinels: (values.get('REDIS_SENTINEL_ADDRS') ?? []) as HostPort[],
      sentinelName: text('REDIS_SENTINEL_NAME'),
      sentinelUsername: text('REDIS_SENTINEL_USERNAME') || undefined,
      sentinelPassword: text('REDIS_SENTINEL_PASSWORD') || undefined,
      natMap: (values.get('REDIS_NAT_MAP') ?? {}) as NatMap,
    },
    mistakes,
  );
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
    keepAliveTimeoutMs: 1000 * number('KEEP_ALIVE_TIMEOUT_SEC'),
    redisTimeoutMs: number('REDIS_TIMEOUT_MS'),
    breakerFailures: number('BREAKER_FAILURES'),
    breakerResetMs: number('BREAKER_RESET_MS'),
    fallbackKeysMax: number('FALLBACK_MAX_KEYS'),
    logLevel: text('LOG_LEVEL'),
  };
}
