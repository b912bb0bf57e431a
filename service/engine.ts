// What decides, without any door: Redis, its breakers, the fallback beside it, and who else shares the limits. The service
// puts doors before it; the package is asked by its application.

import type { Config } from './config/env.ts';
import type { BreakerState } from './core/breaker.ts';
import { Buckets, type BucketsParts } from './core/buckets.ts';
import type { Limit } from './core/limit.ts';
import { Limiter, type LimiterParts } from './core/limiter.ts';
import { LocalStore } from './core/local-store.ts';
import type { Topology } from './core/shard.ts';
import type { StoreErrorReason } from './core/store.ts';
import { type Readiness, type Transition, worstOf } from './doors/readiness.ts';
import { connect } from './redis/connect.ts';
import { Instances } from './redis/instances.ts';
import { type Borrowed, type RedisAddress, secretsOf } from './redis/options.ts';
import { Outages, type OutagesOptions } from './redis/outages.ts';

export type EngineSettings = Pick<
  Config,
  'redisTimeoutMs' | 'breakerFailures' | 'breakerResetMs' | 'fallbackKeysMax' | 'instances'
> & {
  /** undefined: there is none, and each process decides by itself. */
  readonly redis: RedisAddress | Borrowed | undefined;
  /** What stands for a key in Redis; without it, the key itself. */
  readonly hashKey?: ((key: string) => string) | undefined;
  /** Engines that have the same count as one of those who share the limits; without it, it counts by itself. */
  readonly instanceId?: string | undefined;
  /** What the names of its buckets begin with: it is counted with those whose names begin so, too; nothing without it. */
  readonly prefix?: string;
};

/** What is told of it, as it happens. */
export interface EngineListener
  extends Pick<LimiterParts, 'onDecision'>,
    Pick<BucketsParts, 'onForgiven'>,
    Pick<OutagesOptions, 'onCause' | 'onEnd'> {
  /** A call to Redis was answered, after so many seconds. */
  readonly onStoreAnswer: (seconds: number) => void;
  /** A call to Redis failed, or in one that was answered a take for its key's sake alone. */
  readonly onStoreError: (reason: StoreErrorReason) => void;
  readonly onBreaker: (shard: string, from: BreakerState, to: BreakerState) => void;
  /** So many share the limits now. Told when they are counted in Redis. */
  readonly onInstances: (count: number) => void;
}

const nowhere: Topology = { shards: [], shardOf: () => undefined, close() {} };

/** Breaker transitions that `readiness` tells. */
const transitionsMax = 64;

export class Engine {
  readonly limiter: Limiter;
  readonly buckets: Buckets;
  readonly #topology: Topology;
  readonly #fallback: LocalStore;
  readonly #outages: Outages;
  readonly #instances: Instances;
  readonly #transitions: Transition[] = [];

  /** Begins to connect and returns at once; Redis need not be there. `nowUs`: a clock that never goes back, in microseconds. */
  constructor(settings: EngineSettings, listener: EngineListener, nowUs: () => number) {
    const { redis, hashKey, redisTimeoutMs, breakerFailures, breakerResetMs, fallbackKeysMax, instances } = settings;
    const { onDecision, onForgiven, onCause, onEnd } = listener;
    const fallback = new LocalStore({ keysMax: fallbackKeysMax, nowUs });
    const outages = new Outages({ secrets: redis ? secretsOf(redis) : [], nowUs, onCause, onEnd });
    const counted = new Instances({
      nowUs,
      ...(settings.instanceId === undefined ? {} : { id: settings.instanceId }),
      ...(settings.prefix === undefined ? {} : { prefix: settings.prefix }),
      onCount: (count) => {
        fallback.instances = count;
        listener.onInstances(count);
      },
    });
    const connection =
      redis &&
      connect(redis, {
        ...(hashKey ? { hashKey } : {}),
        timeoutMs: redisTimeoutMs,
        nowUs,
        breakerFailures,
        breakerResetMs,
        keysMax: fallbackKeysMax,
        instances: () => instances ?? counted.count,
        onConnection: (shard, cause) => (cause === 'gone' ? outages.forget(shard) : outages.set(shard, cause)),
        onAnswer: listener.onStoreAnswer,
        onError: listener.onStoreError,
        onTransition: (shard, from, to, why) => {
          this.#transitions.push({ atMs: unixMs(), shard, from, to });
          if (this.#transitions.length > transitionsMax) this.#transitions.shift();
          listener.onBreaker(shard, from, to);
          if (why) outages.set(shard, why);
          if (to === 'closed') outages.set(shard, undefined);
        },
      });
    const topology = connection ?? nowhere;
    this.#topology = topology;
    this.#fallback = fallback;
    this.#outages = outages;
    this.limiter = new Limiter({ topology, fallback, nowUs, onDecision });
    this.buckets = new Buckets({ topology, fallback, limiter: this.limiter, onForgiven });
    this.#instances = counted;
    if (instances !== undefined) fallback.instances = instances;
    else if (connection) counted.start(connection.client);
  }

  /** Fallback buckets in memory. */
  get fallbackKeys(): number {
    return this.#fallback.size;
  }

  /** Of every Redis master known now. */
  get breakerStates(): readonly BreakerState[] {
    return this.#topology.shards.map(({ breaker }) => breaker.state);
  }

  /** Why Redis does not decide, one for each master that does not. */
  get causes(): Readiness['causes'] {
    return this.#outages.all;
  }

  readiness(): Readiness {
    const { shards } = this.#topology;
    const { breakerStates: states, causes } = this;
    const connected = shards.length > 0 && shards.every(({ store }) => store.ready);
    return {
      status: 'ready',
      mechanism: connected && causes.length === 0 && states.every((state) => state === 'closed') ? 'redis' : 'fallback',
      breaker: { state: worstOf(states), nowMs: unixMs(), transitions: this.#transitions },
      redis: connected ? 'connected' : 'disconnected',
      causes,
      instances: this.#fallback.instances,
    };
  }

  /** These limits are no more: their memory is given back. */
  forgetLimits(limits: readonly Limit[]): void {
    this.#fallback.forgetLimits(limits);
  }

  /** Takes after it are the fallback's. */
  close(): void {
    this.#outages.close();
    this.#instances.stop();
    this.#topology.close();
  }
}

/** Never goes back, and so does not follow a clock that is set, nor one that went on while the machine slept. */
function unixMs(): number {
  return performance.timeOrigin + performance.now();
}
