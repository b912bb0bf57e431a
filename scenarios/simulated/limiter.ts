// The service's own code as the simulation is given it: all of the core, and of Redis's side all that needs no socket. What
// is left out: ioredis and the guards on its connections, clusters and Sentinels, the doors, workers.

import type { Redis } from 'ioredis';
import type { Core, LimiterParts, Told } from '../../chaos/simulation/core.ts';
import type { SimulatedClient } from '../../chaos/simulation/redis-client.ts';
import { createLimit } from '../../service/core/limit.ts';
import { Limiter } from '../../service/core/limiter.ts';
import { LocalStore } from '../../service/core/local-store.ts';
import { createShard, type RemoteStore } from '../../service/core/shard.ts';
import { type Decision, takeOf } from '../../service/core/store.ts';
import { follow, hangUp } from '../../service/redis/connection.ts';
import { Instances } from '../../service/redis/instances.ts';
import { connectionOptions, retryMs } from '../../service/redis/options.ts';
import { RedisStore } from '../../service/redis/store.ts';
import { scripts } from './scripts.ts';

const keysMax = 2000;

/** Parts that take the place of the shipped ones: those of a limiter with a defect. */
export interface Changes {
  readonly client?: (client: SimulatedClient) => SimulatedClient;
  readonly store?: (store: RedisStore) => RemoteStore;
  readonly fallback?: (fallback: LocalStore) => LocalStore;
  readonly limiter?: (limiter: Pick<Limiter, 'decide'>) => Pick<Limiter, 'decide'>;
  readonly onMove?: (from: string, to: string) => void;
}

export const service: Core = { scripts, create: (parts) => createLimiter(parts) };

export function createLimiter(parts: LimiterParts, changes: Changes = {}): ReturnType<Core['create']> {
  const { bounds, nowUs, onMove, onCount } = parts;
  const credentials = { username: undefined, password: undefined, tls: false };
  const made = parts.clientOf({ ...connectionOptions(credentials), retryStrategy: retryMs });
  const client = changes.client?.(made) ?? made;
  const redis = client as unknown as Redis;
  const { redisTimeoutMs: timeoutMs, breakerFailures, breakerResetMs } = bounds;
  const store = new RedisStore({ client, timeoutMs, nowUs, onMisfit: (error) => hangUp(redis, error) });
  const shard = createShard('redis', changes.store?.(store) ?? store, {
    breakerFailures,
    breakerResetMs,
    keysMax,
    onAnswer: () => {},
    onError: () => {},
    onTransition: (_shard, from, to) => {
      changes.onMove?.(from, to);
      onMove(from, to);
    },
  });
  const own = new LocalStore({ keysMax, nowUs });
  const fallback = changes.fallback?.(own) ?? own;
  const topology = { shards: [shard], shardOf: () => shard, close: () => {} };
  const shipped = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
  const limiter = changes.limiter?.(shipped) ?? shipped;
  const counted = (count: number) => {
    fallback.instances = count;
    onCount(count);
  };
  const instances = new Instances({ nowUs, onCount: counted });
  follow(redis, () => ({ shard, store }), {
    onConnection: () => {},
    instances: () => parts.instances ?? instances.count,
  });
  if (parts.instances === undefined) instances.start(client);
  else counted(parts.instances);
  client.connect();

  const { capacity, refillPerSecond, fallbackCapacity } = bounds;
  const limits = [createLimit({ name: 'default', capacity, refillPerSecond, fallbackCapacity })];
  return {
    decide(key) {
      const decision = limiter.decide(takeOf(limits, key, 1));
      return decision instanceof Promise ? decision.then(toldOf) : toldOf(decision);
    },
    stop: () => instances.stop(),
  };
}

function toldOf({ allowed, mechanism, remaining = 0, retryAfterMs }: Decision): Told {
  return { allowed, source: mechanism === 'redis' ? 'shared' : 'local', remaining, retryAfterMs };
}
