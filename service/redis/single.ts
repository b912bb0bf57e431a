// One Redis, found by its address or through Sentinel: one connection, one shard.

import { Redis } from 'ioredis';
import { createShard, type ShardOptions, type Topology } from '../core/shard.ts';
import { follow, hangUp, type OnConnection } from './connection.ts';
import { GuardedConnector, GuardedSentinelConnector } from './connectors.ts';
import { connectionOptions, type RedisAddress, retryMs, tlsOf } from './options.ts';
import { RedisStore } from './store.ts';

export interface ConnectOptions extends ShardOptions {
  readonly timeoutMs: number;
  /** What stands for a key in Redis; without it, the key itself. */
  readonly hashKey?: (key: string) => string;
  /** See `connectionOptions`. */
  readonly socketTimeoutMs?: number;
  readonly nowUs: () => number;
  readonly onConnection: OnConnection;
  /** How many share limits in the same Redis, and so connect to it; undefined while nobody knows. */
  readonly instances: () => number | undefined;
}

export interface SingleTopology extends Topology {
  readonly client: Redis;
  readonly store: RedisStore;
}

type SingleAddress = Extract<RedisAddress, { kind: 'single' | 'unix' | 'sentinel' }>;

export function connectSingle(address: SingleAddress, options: ConnectOptions): SingleTopology {
  const redis = new Redis(redisOptions(address, options));
  const store = new RedisStore({ ...options, client: redis, onMisfit: (error) => hangUp(redis, error) });
  const where = placeOf(address);
  const shard = createShard(where, store, options);
  follow(redis, () => ({ shard, store }), options);
  let again: NodeJS.Timeout | undefined;
  let closing = false;
  // ioredis gives up for good when a Sentinel announces a failover while it asks for the master. We never do.
  redis.on('end', () => {
    if (!closing) again = setTimeout(() => redis.connect().catch(() => {}), retryMs(1, options.instances()));
  });
  return {
    client: redis,
    store,
    shards: [shard],
    shardOf: () => shard,
    close() {
      closing = true;
      clearTimeout(again);
      shard.breaker.close();
      redis.disconnect();
    },
  };
}

function placeOf(address: SingleAddress): string {
  if (address.kind === 'unix') return address.path;
  return address.kind === 'single' ? `${address.host}:${address.port}` : `${address.name} by Sentinel`;
}

function redisOptions(address: SingleAddress, { socketTimeoutMs, instances }: ConnectOptions) {
  const common = { ...connectionOptions(address, socketTimeoutMs), db: address.db };
  if (address.kind === 'single')
    return { ...common, Connector: GuardedConnector, host: address.host, port: address.port };
  if (address.kind === 'unix') return { ...common, Connector: GuardedConnector, path: address.path };
  const { tls } = tlsOf(address.tls);
  return {
    ...common,
    Connector: GuardedSentinelConnector,
    sentinels: [...address.sentinels],
    name: address.name,
    ...(address.sentinelUsername === undefined ? {} : { sentinelUsername: address.sentinelUsername }),
    ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
    natMap: address.natMap,
    sentinelRetryStrategy: (attempt: number) => retryMs(attempt, instances()),
    sentinelCommandTimeout: 500, // ms; a Sentinel that hangs must not hold up the others
    failoverDetector: true, // moves as soon as a Sentinel says so, not only when the old master drops the connection
    role: 'master' as const,
    // Without these two, ioredis speaks in the clear to Sentinels and to the master that they name.
    enableTLSForSentinelMode: tls !== undefined,
    ...(tls ? { sentinelTLS: tls } : {}),
  };
}
