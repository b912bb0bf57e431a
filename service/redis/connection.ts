// One connection to one Redis and the shard that stands on it: the store is told when the connection comes and why it
// goes, so that takes fail at once, and for the right reason, while there is none.

import type { Redis } from 'ioredis';
import type { Shard } from '../core/shard.ts';
import { StoreError } from '../core/store.ts';
import type { RedisStore } from './store.ts';

/** A shard, and the store behind it that needs to know of its connection. */
export interface Connected {
  readonly shard: Shard;
  readonly store: RedisStore;
}

/** Told when a connection comes and goes. */
export type OnConnection = (event: 'ready' | 'lost', detail: string) => void;

/** `standing`: who stands on this connection now; undefined when nobody does any more. */
export function follow(redis: Redis, standing: () => Connected | undefined, onConnection: OnConnection): void {
  const closed = new StoreError('disconnected', 'the connection was closed');
  let reason: Error = closed;
  redis.on('error', (error) => {
    reason = error;
    standing()?.store.lost(error);
  });
  redis.on('close', () => {
    const it = standing();
    if (it?.store.ready) onConnection('lost', `${it.shard.name}: ${reason.message}`);
    it?.store.lost(reason);
  });
  redis.on('ready', () => {
    reason = closed;
    const it = standing();
    if (!it) return;
    begin(it, onConnection).then((refused) => {
      if (refused?.reason === 'readonly') reason = refused; // `connectionOptions` give a connection up for it
    });
  });
}

/** The connection is there: takes are sent from the resolution on, to why Redis refused the probe, if it did. */
export async function begin({ shard, store }: Connected, onConnection: OnConnection): Promise<StoreError | undefined> {
  const refused = await store.connected();
  if (!refused) shard.last.clear(); // perhaps another Redis, or one that forgot
  if (store.ready) onConnection('ready', shard.name);
  return refused;
}
