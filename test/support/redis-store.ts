// A store connected to a Redis of a test's.

import type { Redis } from 'ioredis';
import { readConfig } from '../../service/config/env.ts';
import { connectSingle } from '../../service/redis/single.ts';
import type { RedisStore } from '../../service/redis/store.ts';

export interface ConnectedStore {
  readonly store: RedisStore;
  readonly client: Redis;
  close(): void;
}

/** What a store needs to be told, of which a test takes no notice. */
export const unheard = {
  nowUs: () => performance.now() * 1000,
  breakerFailures: 3,
  breakerResetMs: 1000,
  keysMax: 1000,
  onConnection: () => {},
  instances: () => 1,
  onAnswer: () => {},
  onError: () => {},
  onTransition: () => {},
} as const;

/** Begins to connect; `store.ready` tells when takes can be sent. */
export function connectStore(url: string, timeoutMs: number): ConnectedStore {
  const address = readConfig({ REDIS_URL: url }).redis;
  if (address.kind === 'cluster') throw new Error('a cluster is not one Redis');
  const { store, client, close } = connectSingle(address, { ...unheard, timeoutMs });
  return { store, client, close };
}
