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

/** A connection was used within this time: Redis tells whole seconds since, by a clock of whole seconds. */
const idleSMax = 1;

/** Looks at the one Redis that the faulted instances share, past every link. */
export class SharedUse {
  readonly #command: RedisHandle['command'];
  /** Names of the instances that have an address of Redis's for themselves, by that address. */
  readonly #instances: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, number>();
  #isLooking = false;

  /** A Redis of several nodes is not looked at: a replica does what its master is told. */
  constructor({
    redis,
    instances,
  }: { redis: Pick<RedisHandle, 'command' | 'nodes'> } & Pick<Environment, 'instances'>) {
    this.#command = redis.nodes ? undefined : redis.command;
    this.#instances = new Map(
      instances.flatMap(({ name, control, storeLink: { arrivesAt } }) =>
        control || arrivesAt === undefined ? [] : [[arrivesAt, name] as const],
      ),
    );
  }

  /** Nothing where the lab has no way to it, while a look is under way, or when Redis does not answer. */
  async look(zero: Zero): Promise<StoreUseEvent[]> {
    if (!this.#command || this.#isLooking) return [];
    this.#isLooking = true;
    try {
      const commands = usesIn(String(await this.#command('INFO', 'commandstats')));
      const all = { type: 'store-use', instance: sharedStoreName, atMs: sinceZeroMs(zero), commands } as const;
      if (this.#instances.size === 0) return [all];
      const using = usersIn(String(await this.#command('CLIENT', 'LIST')));
      const atMs = sinceZeroMs(zero);
      return [all, ...[...this.#instances].map(([address, name]) => this.#useOf(name, using.has(address), atMs))];
    } catch {
      return [];
    } finally {
      this.#isLooking = false;
    }
  }

  #useOf(instance: string, isUsing: boolean, atMs: number): StoreUseEvent {
    const commands = (this.#seen.get(instance) ?? 0) + (isUsing ? 1 : 0);
    this.#seen.set(instance, commands);
    return { type: 'store-use', instance, atMs, commands };
  }
}

/** The addresses of Redis's at which connections arrived that were just used: https://redis.io/docs/latest/commands/client-list/ */
export function usersIn(clientList: string): ReadonlySet<string> {
  const lines = clientList.split('\n').map((line) => fieldsOf(line));
  const using = lines.filter((its) => {
    const [command = ''] = (its.get('cmd') ?? 'NULL').split('|');
    return Number(its.get('idle')) <= idleSMax && command !== 'NULL' && !noUse.has(command.toLowerCase());
  });
  return new Set(using.map((its) => (its.get('laddr') ?? '').replace(/:\d+$/, '')));
}

function fieldsOf(line: string): ReadonlyMap<string, string> {
  return new Map(line.split(' ').map((field) => [field.split('=', 1)[0] ?? '', field.slice(field.indexOf('=') + 1)]));
}

/** How many calls of commands that use it: https://redis.io/docs/latest/commands/info/ */
export function usesIn(commandStats: string): number {
  const calls = commandStats.matchAll(/^cmdstat_([^|:]+)[^:]*:calls=(\d+)/gm);
  return [...calls].reduce((sum, [, name = '', count]) => sum + (noUse.has(name.toLowerCase()) ? 0 : Number(count)), 0);
}
