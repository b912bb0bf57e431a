// What /readyz tells: who decides now, and if Redis does not, why; and how the breakers moved.

import type { BreakerState } from '../core/breaker.ts';
import type { OutageCause } from '../redis/outages.ts';

/** One change of a breaker, `atMs` in Unix time. */
export interface Transition {
  readonly atMs: number;
  /** Which Redis it guards. */
  readonly shard: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
}

export interface Readiness {
  readonly status: 'ready';
  /** Who decides now; with several Redis or several workers, `redis` only when that holds for every key in each. */
  readonly mechanism: 'redis' | 'fallback';
  readonly breaker: {
    readonly state: BreakerState;
    /** Now, on the clock of the transitions: what reads them may have another one. Several workers have no clock in common. */
    readonly nowMs?: number;
    readonly transitions: readonly Transition[];
  };
  readonly redis: 'connected' | 'disconnected';
  /** Why Redis does not decide, one for each Redis that does not; with several workers, one for each different cause. */
  readonly causes: readonly OutageCause[];
  /** How many share the limit, as far as known; each worker counts as one. */
  readonly instances: number;
}

/** Of several breakers, the state that tells most of trouble; of none, as with a cluster whose masters are not known, closed. */
export function worstOf(states: readonly BreakerState[]): BreakerState {
  return states.find((state) => state === 'open') ?? states.find((state) => state === 'half-open') ?? 'closed';
}

/** One view of all workers, by their numbers; every move names the worker whose breaker it was. */
export function readinessOf(workers: ReadonlyMap<number, Readiness>): Readiness {
  const all = [...workers.values()];
  const moves = [...workers].flatMap(([number, { breaker }]) =>
    breaker.transitions.map((move) => ({ ...move, shard: `worker ${number} ${move.shard}` })),
  );
  return {
    status: 'ready',
    mechanism: all.every(({ mechanism }) => mechanism === 'redis') ? 'redis' : 'fallback',
    breaker: {
      state: worstOf(all.map(({ breaker }) => breaker.state)),
      transitions: moves.sort((one, other) => one.atMs - other.atMs),
    },
    redis: all.every(({ redis }) => redis === 'connected') ? 'connected' : 'disconnected',
    causes: [...new Map(all.flatMap(({ causes }) => causes).map((cause) => [JSON.stringify(cause), cause])).values()],
    instances: Math.max(...all.map(({ instances }) => instances)),
  };
}
