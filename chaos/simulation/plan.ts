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
  readonly faults: readonly Fault[];
  readonly bounds: Bounds;
}

/** What is asked of a plan, beside its seed. */
export interface PlanOptions {
  readonly instances: number;
  readonly minutes: number;
  /** Requests per second over all instances; in proportion to them when undefined. */
  readonly rate?: number | undefined;
}

/** When the last fault is over; 0 when there is none. */
export function lastFaultEndsMs({ faults }: Pick<Plan, 'faults'>): number {
  return faults.reduce((last, { atMs, forMs }) => Math.max(last, atMs + forMs), 0);
}

/** The service's defaults, but for a limit that is met more often. */
const usual: Bounds = {
  capacity: 10,
  refillPerSecond: 1,
  fallbackCapacity: 5,
  fallbackRefillPerSecond: 1,
  redisTimeoutMs: 5,
  breakerFailures: 3,
  breakerResetMs: 1000,
  resetJitterRatio: 0.2,
  reconnectMs: 1000,
  p99Ms: 9,
};

/** The same, with these changes, for a fleet of so many. */
export function boundsOf(instances: number, changes: Partial<Bounds> = {}): Bounds {
  const changed = { ...usual, ...changes };
  return { ...changed, fallbackRefillPerSecond: changed.refillPerSecond / instances };
}
