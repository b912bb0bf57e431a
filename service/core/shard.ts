// One store that decides for some of the keys, with everything that belongs to it alone: its breaker, the batch of the
// turn, and what it last said. A single server is the one shard of all keys; a cluster has one for each master, so that
// a dead master takes nobody down but its own keys.
//
//   take ─▶ batcher ─▶ breaker ─▶ store

import { Batcher } from './batcher.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import type { GiveBack, GivenBack } from './give-back.ts';
import { LastDecisions } from './last-decisions.ts';
import { type BatchStore, type Mechanism, type Outcome, StoreError, type StoreErrorReason } from './store.ts';

/** A store that can be away: a shard asks it whether it is back. */
export interface RemoteStore extends BatchStore {
  /** Its name in every decision of its own. */
  readonly mechanism: Mechanism;
  /** Whether takes can be sent at all. */
  readonly ready: boolean;
  /** A call that takes nothing; resolves when the store would answer takes. */
  probe(): Promise<void>;
  /** Gives tokens back, within the deadline of a take. Rejects with a `StoreError` when it may not have. */
  giveBack(giveBack: GiveBack): Promise<GivenBack>;
}

export interface Shard {
  /** Where its store is. */
  readonly name: string;
  readonly store: Pick<RemoteStore, 'mechanism' | 'ready' | 'giveBack'>;
  readonly breaker: Breaker;
  readonly batcher: Batcher;
  readonly last: LastDecisions;
}

/** Where each key is decided, and by how many. */
export interface Topology {
  /** undefined: nobody knows now. */
  shardOf(key: string): Shard | undefined;
  readonly shards: readonly Shard[];
  close(): void;
}

export interface ShardOptions {
  readonly breakerFailures: number;
  readonly breakerResetMs: number;
  /** Buckets whose last state is remembered, at the most. */
  readonly keysMax: number;
  /** `why`: the failure that opened it. */
  readonly onTransition: (shard: string, from: BreakerState, to: BreakerState, why: StoreError | undefined) => void;
  /** A call was answered, after so many seconds. */
  readonly onAnswer: (seconds: number) => void;
  /** A call failed, be it a take or a probe; or a take for its key's sake alone. */
  readonly onError: (reason: StoreErrorReason) => void;
}

/** Takes in one call: about 0.3 ms of the store's time. */
const batchSizeMax = 128;

export function createShard(name: string, store: RemoteStore, options: ShardOptions): Shard {
  const last = new LastDecisions(options.keysMax, store.mechanism);
  let failure: StoreError | undefined;
  const failed = (error: unknown) => {
    if (!(error instanceof StoreError)) return;
    failure = error;
    options.onError(error.reason);
  };
  const breaker = new Breaker(measured(store, options, failed), {
    failures: options.breakerFailures,
    resetMs: options.breakerResetMs,
    probe: async () => {
      await store.probe().catch((error) => {
        failed(error);
        throw error;
      });
    },
    random: Math.random,
    onTransition: (from, to) => {
      if (to === 'closed') last.clear(); // while nobody asked it, the store may have forgotten
      options.onTransition(name, from, to, to === 'open' && store.ready ? failure : undefined); // else its connection says why
    },
  });
  const batcher = new Batcher(breaker, batchSizeMax);
  return { name, store, breaker, batcher, last };
}

/** Every answer is timed, every call that fails is told, and every take that fails for its key alone is counted. */
function measured(
  store: BatchStore,
  { onAnswer, onError }: ShardOptions,
  onFailure: (error: unknown) => void,
): BatchStore {
  return {
    async decideMany(takes): Promise<Outcome[]> {
      const startMs = performance.now();
      try {
        const outcomes = await store.decideMany(takes);
        onAnswer((performance.now() - startMs) / 1000);
        for (const outcome of outcomes) if (outcome instanceof StoreError) onError(outcome.reason);
        return outcomes;
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
  };
}
