// The settings that say where Redis is.

import { hostPortOf, natMapOf, redisUrlOf } from './redis-address.ts';
import type { Row } from './row.ts';
import { addresses, optional, parsed, unset } from './setting-texts.ts';

export const redisRows = [
  {
    name: 'REDIS_ADDR',
    default: 'localhost:6379',
    unit: '',
    meaning: 'the one Redis, as host:port; everything else that says where Redis is wins over it',
    allowed: 'host:port',
    shape: parsed(hostPortOf),
  },
  {
    name: 'REDIS_URL',
    default: '',
    unit: '',
    meaning: 'the one Redis, with user, password, database, TLS, or a Unix socket',
    secret: true,
    allowed:
      'nothing, or redis://user:password@host:port/database, rediss://… for TLS, or redis+unix://user:password@/path?db=database; all but the host or path may be left out, and nothing else be there',
    shape: unset.or(parsed(redisUrlOf)),
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
    shape: parsed(natMapOf),
  },
] as const satisfies readonly Row[];
