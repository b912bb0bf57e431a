// The service's settings, a row each. The table of service/README.md is made from these rows.

import { z } from 'zod';
import { trustedProxiesAllowed, trustedProxiesOf } from '../doors/trusted-proxies.ts';
import { isHost } from './redis-address.ts';
import { redisRows } from './redis-rows.ts';
import type { Row } from './row.ts';
import { optional, optionalWhole, parsed, token, whole } from './setting-texts.ts';

export const hostAllowed = 'an IP address, or a name that leads to one';

const portMax = 65_535;

const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;

export const configRows = [
  {
    name: 'HOST',
    default: '127.0.0.1',
    unit: '',
    meaning: 'address to listen on',
    allowed: hostAllowed,
    shape: z.string().refine(isHost),
  },
  { name: 'PORT', default: '8080', unit: '', meaning: 'port to listen on for HTTP', ...whole(1, portMax) },
  {
    name: 'RESP_PORT',
    default: '',
    unit: '',
    meaning: 'port to listen on for [Redis clients](#redis-clients); without it there is none',
    ...optionalWhole(1, portMax),
  },
  {
    name: 'GRPC_PORT',
    default: '',
    unit: '',
    meaning: 'port to listen on for [Envoy](#envoy), by gRPC; without it there is none. It needs `RLS_CONFIG_DIR`',
    ...optionalWhole(1, portMax),
  },
  ...redisRows,
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
    ...optional('the path of a file', /^[^\0]{1,4096}$/),
  },
  {
    name: 'RLS_CONFIG_DIR',
    default: '',
    unit: '',
    meaning:
      'directory of [rules for Envoy](#rules-for-envoy), in the files of envoyproxy/ratelimit. It needs `GRPC_PORT`',
    ...optional('the path of a directory', /^[^\0]{1,4096}$/),
  },
  {
    name: 'RLS_RESPONSE_HEADERS',
    default: 'off',
    unit: '',
    meaning:
      'whether Envoy is told headers for the answers of its clients: `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`, `X-RateLimit-Mechanism`, and `Retry-After` for those that are refused. It needs `GRPC_PORT`',
    allowed: 'on or off',
    shape: z.enum(['on', 'off']).transform((text) => text === 'on'),
  },
  {
    name: 'INSTANCES',
    default: '',
    unit: '',
    meaning:
      'number of instances that share the limit; a fallback bucket refills at the rate of the limit divided by this number. Without it the instances count themselves in Redis',
    ...optionalWhole(1, 10_000),
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
    shape: parsed(trustedProxiesOf),
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
    meaning:
      'bearer token that the [JSON API](#json-api) asks for, and the password of [Redis clients](#redis-clients); without it anybody who reaches the port may use it',
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
    meaning:
      'processes that serve the ports together; each has its share of `RATE_LIMIT_BURST` and `FALLBACK_MAX_KEYS`',
    ...whole(1, 256),
  },
  {
    name: 'LOG_LEVEL',
    default: 'info',
    unit: '',
    meaning: 'least severe level to log',
    allowed: `one of ${logLevels.join(', ')}`,
    shape: z.enum(logLevels),
  },
] as const satisfies readonly Row[];

/** The value of each setting, by its name. */
export type Values = {
  readonly [R in (typeof configRows)[number] as R['name']]: z.output<R['shape']>;
};
