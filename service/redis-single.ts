// One Redis, found by its address or through Sentinel: one connection, one shard.

import { Redis } from 'ioredis';
import { connectionOptions, type RedisAddress, retryMs } from './redis-options.ts';
import { RedisStore } from './redis-store.ts';
import { createShard, type ShardOptions, type Topology } from './shard.ts';
import { StoreError } from './store.ts';

export interface ConnectOptions extends ShardOptions {
  readonly timeoutMs: number;
  readonly nowUs: () => number;
  /** Told when a connection comes and goes. */
  readonly onConnection: (event: 'ready' | 'lost', detail: string) => void;
}

export interface SingleTopology extends Topology {
  readonly client: Redis;
  readonly store: RedisStore;
}

type SingleAddress = Extract<RedisAddress, { kind: 'single' | 'sentinel' }>;

export function connectSingle(address: SingleAddress, options: ConnectOptions): SingleTopology {
  const redis = new Redis(redisOptions(address));
  const store = new RedisStore({ ...options, client: redis });
  const where = address.kind === 'single' ? `${address.host}:${address.port}` : `${address.name} by Sentinel`;
  const shard = createShard(where, store, options);
  let reason: unknown = new StoreError('disconnected', 'the connection was closed');
  redis.on('error', (error) => {
    reason = error;
    store.lost(error);
  });
  redis.on('close', () => {
    if (store.ready) options.onConnection('lost', `${where}: ${(reason as Error).message}`);
    store.lost(reason);
  });
  redis.on('ready', async () => {
    reason = new StoreError('disconnected', 'the connection was closed');
    await store.connected();
    shard.last.clear(); // perhaps another Redis, or one that forgot
    if (store.ready) options.onConnection('ready', where);
  });
  return {
    client: redis,
    store,
    shards: [shard],
    shardOf: () => shard,
    close() {
      shard.breaker.close();
      redis.disconnect();
    },
  };
}

function redisOptions(address: SingleAddress) {
  const common = { ...connectionOptions(address), db: address.db, retryStrategy: retryMs };
  if (address.kind === 'single') return { ...common, host: address.host, port: address.port };
  return {
    ...common,
    sentinels: [...address.sentinels],
    name: address.name,
    sentinelRetryStrategy: retryMs,
    sentinelCommandTimeout: 500, // ms; a Sentinel that hangs must not hold up the others
    failoverDetector: true, // moves as soon as a Sentinel says so, not only when the old master drops the connection
    role: 'master' as const,
  };
}
