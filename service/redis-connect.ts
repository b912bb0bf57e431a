// The one place that chooses by topology.

import type { Cluster, Redis } from 'ioredis';
import { connectCluster } from './redis-cluster.ts';
import type { RedisAddress } from './redis-options.ts';
import { type ConnectOptions, connectSingle } from './redis-single.ts';
import type { Topology } from './shard.ts';

/** Begins to connect and returns at once; Redis need not be there. */
export function connect(
  address: RedisAddress,
  options: ConnectOptions,
): Topology & { readonly client: Redis | Cluster } {
  return address.kind === 'cluster' ? connectCluster(address, options) : connectSingle(address, options);
}
