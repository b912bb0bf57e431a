// The one place that chooses by topology.

import type { Topology } from '../core/shard.ts';
import { connectBorrowed } from './borrowed.ts';
import { connectCluster } from './cluster.ts';
import type { Borrowed, RedisAddress } from './options.ts';
import type { RedisClient } from './script-runner.ts';
import { type ConnectOptions, connectSingle } from './single.ts';

/** Begins to connect and returns at once; Redis need not be there. */
export function connect(
  address: RedisAddress | Borrowed,
  options: ConnectOptions,
): Topology & { readonly client: RedisClient } {
  switch (address.kind) {
    case 'cluster':
      return connectCluster(address, options);
    case 'borrowed':
      return connectBorrowed(address.sendCommand, options);
    default:
      return connectSingle(address, options);
  }
}
