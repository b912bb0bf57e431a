// One connection to one Redis and the shard that stands on it: the store is told when the connection comes and why it
// goes, so that takes fail at once, and for the right reason, while there is none. A connection that is of no use ends
// here: one on which Redis refuses the database, or on which answers and commands no longer belong together.

import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { Shard } from '../core/shard.ts';
import { StoreError, type StoreErrorReason } from '../core/store.ts';
import { Backoff } from './backoff.ts';
import { storeErrorOf } from './errors.ts';
import { connectionErrorOf } from './guard.ts';
import { Heartbeat } from './heartbeat.ts';
import type { RedisStore } from './store.ts';

/** A shard, and the store behind it that needs to know of its connection. */
export interface Connected {
  readonly shard: Shard;
  readonly store: RedisStore;
}

/** Told why a shard's Redis cannot decide, each time that something says so; undefined when it can; 'gone' when the shard is no more. */
export type OnConnection = (shard: string, cause: StoreError | 'gone' | undefined) => void;

export interface FollowOptions {
  readonly onConnection: OnConnection;
  /** How many share limits in the same Redis, and so connect to it; undefined while nobody knows. */
  readonly instances: () => number | undefined;
  /** See `connectionOptions`. */
  readonly socketTimeoutMs?: number;
}

/** `standing`: who stands on this connection now; undefined when nobody does any more. */
export function follow(redis: Redis, standing: () => Connected | undefined, options: FollowOptions): void {
  const { onConnection } = options;
  const closed = new StoreError('disconnected', 'the connection was closed');
  let cause: StoreError = closed;
  /** What the Sentinels said of the master, or why they cannot be asked, by its reason; ioredis leaves it out of its error. */
  const ofSentinels = new Map<StoreErrorReason, StoreError>();
  let usable = true;
  const backoff = new Backoff(options.instances);
  // ioredis counts the attempts, but from the last connection, however short it was.
  redis.options.retryStrategy = () => backoff.nextMs();

  const lost = (error: StoreError) => {
    cause = error;
    const it = standing();
    it?.store.lost(error);
    if (it) onConnection(it.shard.name, error);
  };
  const beginAgain = () => {
    const it = standing();
    return it ? begin(it, onConnection) : Promise.resolve(undefined);
  };
  const heartbeat = new Heartbeat(redis, { beginAgain, silentMsMax: options.socketTimeoutMs });

  redis.on('sentinelError', (error: Error) => {
    const why = storeErrorOf(error);
    ofSentinels.set(why.reason, why);
  });
  redis.on('error', (error: Error & { command?: { name: string } }) => {
    const isOfSentinels = error.message.startsWith('All sentinels are unreachable');
    const all = isOfSentinels && ofSentinels.size > 0 ? [...ofSentinels.values()] : [error];
    for (const each of all) lost(connectionErrorOf(each, redis.stream as Socket | undefined));
    ofSentinels.clear();
    if (error.command?.name !== 'select') return;
    usable = false; // ioredis would go on in database 0
    redis.stream.destroy();
  });
  redis.on('close', () => {
    heartbeat.stop();
    backoff.ended();
    lost(cause);
  });
  redis.on('connect', () => {
    usable = true;
    ofSentinels.clear();
  });
  redis.on('ready', async () => {
    if (!usable) return;
    cause = closed;
    const refused = await beginAgain();
    if (refused?.reason === 'readonly') cause = refused; // `connectionOptions` give a connection up for it
    if (redis.status !== 'ready') return;
    if (!refused) backoff.began();
    heartbeat.start(refused !== undefined);
  });
}

/** The connection is there: takes are sent from the resolution on, to why Redis refused the probe, if it did. */
export async function begin({ shard, store }: Connected, onConnection: OnConnection): Promise<StoreError | undefined> {
  const refused = await store.connected();
  if (!refused) shard.last.clear(); // perhaps another Redis, or one that forgot
  if (store.ready) onConnection(shard.name, refused);
  return refused;
}

/** Ends the connection because of what came on it, so that a fresh one is made. */
export function hangUp(redis: Redis, why: StoreError): void {
  if (redis.status === 'ready') redis.stream.destroy(why);
}
