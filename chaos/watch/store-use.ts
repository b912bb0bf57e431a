// Whether the limiter under test asks the Redis that it is given: a Redis counts the commands that it is given. Those that
// only look at it, or tell others of it, are no use of it: the lab and the nodes of a topology give them as well.

import { Redis } from 'ioredis';
import type { Environment, RedisHandle } from '../environment.ts';
import type { StoreUseEvent } from '../history.ts';
import { sharedStoreName } from '../scenario.ts';
import { sinceZeroMs, type Zero } from './observer.ts';

const msMax = 2000;
const noUse: ReadonlySet<string> = new Set(
  (
    'acl asking auth client cluster command config debug echo function hello info latency memory module ping psubscribe ' +
    'psync publish punsubscribe quit readonly readwrite replconf replicaof reset role save script select sentinel slaveof ' +
    'slowlog subscribe sync time unsubscribe'
  ).split(' '),
);

/** Of the control's, of which nothing is ever broken. Nothing where the lab has no way to it, or gets no answer. */
export async function controlUse({ instances }: Pick<Environment, 'instances'>, zero: Zero): Promise<StoreUseEvent[]> {
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

/** Looks at the one Redis that the faulted instances share, past every link. */
export class SharedUse {
  readonly #command: RedisHandle['command'];
  #isLooking = false;

  /** A Redis of several nodes is not looked at: a replica does what its master is told. */
  constructor({ command, nodes }: Pick<RedisHandle, 'command' | 'nodes'>) {
    this.#command = nodes ? undefined : command;
  }

  /** Nothing where the lab has no way to it, while a look is under way, or when Redis does not answer. */
  async look(zero: Zero): Promise<StoreUseEvent[]> {
    if (!this.#command || this.#isLooking) return [];
    this.#isLooking = true;
    try {
      const commands = usesIn(String(await this.#command('INFO', 'commandstats')));
      return [{ type: 'store-use', instance: sharedStoreName, atMs: sinceZeroMs(zero), commands }];
    } catch {
      return [];
    } finally {
      this.#isLooking = false;
    }
  }
}

/** How many calls of commands that use it: https://redis.io/docs/latest/commands/info/ */
export function usesIn(commandStats: string): number {
  const calls = commandStats.matchAll(/^cmdstat_([^|:]+)[^:]*:calls=(\d+)/gm);
  return [...calls].reduce((sum, [, name = '', count]) => sum + (noUse.has(name.toLowerCase()) ? 0 : Number(count)), 0);
}
