// The service's settings: one row each. All mistakes are found in one reading, and the README's table is this one.

import type { Policy } from './store.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  /** `redis://` or `rediss://` with everything needed to connect. */
  readonly redisUrl: string;
  readonly policy: Policy;
  readonly fallbackPolicy: Policy;
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
    parse: (text) =>
      /^(\[[\da-fA-F:]+\]|[\w.-]+):\d{1,5}$/.test(text) && isRedisUrl(`redis://${text}`) ? text : undefined,
  },
  {
    name: 'REDIS_URL',
    default: '',
    unit: '',
    meaning: 'the same with user, password, database, TLS; wins over `REDIS_ADDR`',
    secret: true,
    allowed: 'nothing, or redis://… or rediss://… with an optional user, password and database',
    parse: (text) => (text === '' || isRedisUrl(text) ? text : undefined),
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
    default: '1',
    unit: '',
    meaning: 'instances that share the limit; each refills its fallback buckets at the policy’s rate divided by this',
    ...whole(1, 10_000),
  },
  {
    name: 'KEY_HEADER',
    default: '',
    unit: '',
    meaning: "request header whose value is the key; without it (or the header) the client's address is",
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
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  const text = (name: Name) => values.get(name) as string;
  const number = (name: Name) => values.get(name) as number;

  const refillPerSecond = number('RATE_LIMIT') / number('RATE_LIMIT_WINDOW_SEC');
  return {
    host: text('HOST'),
    port: number('PORT'),
    redisUrl: text('REDIS_URL') || `redis://${text('REDIS_ADDR')}`,
    policy: { name: 'default', capacity: number('RATE_LIMIT'), refillPerSecond },
    fallbackPolicy: {
      name: 'default',
      capacity: number('RATE_LIMIT_BURST'),
      refillPerSecond: refillPerSecond / number('INSTANCES'),
    },
    keyHeader: text('KEY_HEADER').toLowerCase() || undefined,
    redisTimeoutMs: number('REDIS_TIMEOUT_MS'),
    breakerFailures: number('BREAKER_FAILURES'),
    breakerResetMs: number('BREAKER_RESET_MS'),
    fallbackKeysMax: number('FALLBACK_MAX_KEYS'),
    logLevel: text('LOG_LEVEL'),
  };
}

function isRedisUrl(text: string): boolean {
  try {
    const url = new URL(text);
    decodeURIComponent(url.username + url.password);
    return /^rediss?:$/.test(url.protocol) && url.hostname !== '' && url.port !== '0' && /^\/?\d*$/.test(url.pathname);
  } catch {
    return false;
  }
}
