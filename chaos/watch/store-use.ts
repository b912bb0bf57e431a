// Whether the limiter under test asks the Redis that it is given at all: the control's, of which nothing is broken, has
// counted its commands. Those that only look at a Redis, or tell others of it, are no use of it: the lab and the nodes of a
// topology give them as well.

import { Redis } from 'ioredis';
import type { Environment } from '../environment.ts';
import type { StoreUseEvent } from '../history.ts';
import { sinceZeroMs, type Zero } from './observer.ts';

const msMax = 2000;
const noUse: ReadonlySet<string> = new Set(
  (
    'acl asking auth client cluster command config debug echo function hello info latency memory module ping psubscribe ' +
    'psync publish punsubscribe quit readonly readwrite replconf replicaof reset role save script select sentinel slaveof ' +
    'slowlog subscribe sync time unsubscribe'
  ).split(' '),
);

/** Nothing where the lab has no way to it, or gets no answer. */
export async function storeUseOf({ instances }: Pick<Environment, 'instances'>, zero: Zero): Promise<StoreUseEvent[]> {
  const control = instances.find((instance) => instance.control);
  if (!control || control.storeLink.port === 0) return [];
  const { host, port } = control.storeLink;
  const redis = new Redis({
    ...{ host, port, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true },
    ...{ connectTimeout: msMax, commandTimeout: msMax, maxRetriesPerRequest: 0, retryStrategy: () => null },
  });
  redis.on('error', () => {}); // the commands are rejected, which says so
  try {
    await redis.connect();
    const commands = usesIn(await redis.info('commandstats'));
    return [{ type: 'store-use', instance: control.name, atMs: sinceZeroMs(zero), commands }];
  } catch {
    return [];
  } finally {
    redis.disconnect();
  }
}

/** How many calls of commands that use it: https://redis.io/docs/latest/commands/info/ */
export function usesIn(commandStats: string): number {
  const calls = commandStats.matchAll(/^cmdstat_([^|:]+)[^:]*:calls=(\d+)/gm);
  return [...calls].reduce((sum, [, name = '', count]) => sum + (noUse.has(name.toLowerCase()) ? 0 : Number(count)), 0);
}
