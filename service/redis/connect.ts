// The one place that chooses by topology.

import type { Cluster, Redis } from 'ioredis';
import type { Topology } from '../core/shard.ts';
import { connectCluster } from './cluster.ts';
import type { RedisAddress } from './options.ts';
import { type ConnectOptions, connectSingle } from './single.ts';

/** Begins to connect and returns at once; Redis need not be there. */
export function connect(
  address: RedisAddress,
  options: ConnectOptions,
): Topology & { readonly client: Redis | Cluster } {
  return address.kind === 'cluster' ? connectCluster(address, options) : connectSingle(address, options);
}
