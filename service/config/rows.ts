// The service's settings, a row each: name, default, unit, meaning, what is allowed, and how the text becomes a value. The
// table of service/README.md is made from these rows.

import { trustedProxiesAllowed, trustedProxiesOf } from '../doors/trusted-proxies.ts';
import { hostPortOf, isHost, natMapOf, redisUrlOf } from './redis-address.ts';
import { addresses, optional, token, whole } from './setting-texts.ts';

export interface Row {
  readonly name: string;
  readonly default: string;
  readonly unit: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly secret?: true;
  /** The value, or undefined when it is not allowed. */
  readonly parse: (text: string) => unknown;
}

export const hostAllowed = 'an IP address, or a name that leads to one';

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
      'addresses that a cluster or the Sentinels announce but that cannot be reached from here, each with the one to use instead, as announced=reachable,announced=reachable…',
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
    name: 'POLICIES_FILE',
    default: '',
    unit: '',
    meaning:
      'file of [policies](#policies), in YAML or JSON. `RATE_LIMIT`, `RATE_LIMIT_WINDOW_SEC`, `RATE_LIMIT_BURST` and `KEY_HEADER` are not set beside it',
    ...optional('the path of a file', /^[^\0]+$/),
  },
  {
    name: 'INSTANCES',
    default: '',
    unit: '',
    meaning:
      'number of instances that share the limit; a fallback bucket refills at the rate of the limit divided by this number. Without it the instances count themselves in Redis',
    allowed: 'nothing, or a whole number from 1 to 10000',
    parse: (text) => (text === '' ? null : whole(1, 10_000).parse(text)),
  },
  {
    name: 'KEY_HEADER',
    default: '',
    unit: '',
    meaning:
      'request header whose value is the key. The service believes the header, so only a proxy that overwrites it may set it. A client can write `X-Forwarded-For` itself and so choose its key. Without the variable or the header, the key is [the address of the client](#client-addresses)',
    ...optional('a header name', /^[!#$%&'*+.^_`|~\w-]+$/),
  },
  {
    name: 'HASH_KEYS',
    default: '',
    unit: '',
    meaning: 'secret by which keys are [hashed](#hashed-keys) in Redis; the same for all instances',
    secret: true,
    ...optional('a secret of at least 16 characters', /^.{16,}$/s),
  },
  {
    name: 'TRUST_PROXY',
    default: 'off',
    unit: '',
    meaning:
      'which [proxies](#client-addresses) are believed in `X-Forwarded-For`: `off`, how many stand before the service, or their networks and addresses, as `10.0.0.0/8,fd00::/8`',
    allowed: trustedProxiesAllowed,
    parse: trustedProxiesOf,
  },
  {
    name: 'IPV6_PREFIX',
    default: '56',
    unit: 'bits',
    meaning: 'how much of an IPv6 address tells clients apart; with 128, each address is a client',
    ...whole(1, 128),
  },
  {
    name: 'API_TOKEN',
    default: '',
    unit: '',
    meaning: 'bearer token that the [JSON API](#json-api) asks for; without it anybody who reaches the port may use it',
    ...token,
  },
  {
    name: 'ADMIN_TOKEN',
    default: '',
    unit: '',
    meaning:
      'bearer token for what changes buckets other than by a check, and good for the rest of the JSON API; without it those routes are not there',
    ...token,
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

/** The value of each setting, by its name, as its row's `parse` gives it where it is allowed. */
export type Values = {
  readonly [R in (typeof configRows)[number] as R['name']]: Exclude<ReturnType<R['parse']>, undefined>;
};
