// What a world is to live through, as data. The same plan is the same history, to the byte.

import type { Bounds, LoadChange } from '../scenario.ts';
import type { Fault } from './faults.ts';

export interface Plan {
  /** Draws all that the plan leaves to chance: arrivals, latencies, the jitter of the limiters. */
  readonly seed: number;
  readonly instances: number;
  /** Whether instances are told how many they are, or count themselves. */
  readonly told: boolean;
  readonly durationMs: number;
  /** Requests per second over all instances. */
  readonly rate: number;
  readonly keys: { readonly count: number; readonly skew: number };
  readonly load: readonly LoadChange[];
  /** In order of time. */
  readonly faults: readonly Fault[];
  readonly bounds: Bounds;
}

/** When the last fault is over; 0 when there is none. */
export function lastFaultEndsMs({ faults }: Pick<Plan, 'faults'>): number {
  return faults.reduce((last, { atMs, forMs }) => Math.max(last, atMs + forMs), 0);
}
