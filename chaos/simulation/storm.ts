// A storm: everything that can go wrong, drawn from a seed. The same seed is the same storm.

import type { Bounds, LoadChange } from '../scenario.ts';
import { Chance } from './chance.ts';
import { effectOf, type Fault, faultKinds } from './faults.ts';
import type { Plan } from './plan.ts';

export interface StormOptions {
  readonly instances: number;
  readonly minutes: number;
  /** Requests per second over all instances; by the number of instances when undefined. */
  readonly rate?: number | undefined;
}

/** Instances start and count themselves before the first fault; after the last the fleet must recover and show it. */
const restMs = { before: 3000, after: 9000 };
const forMs = { min: 1000, max: 6000 };
/** A fault each so many milliseconds, on average. */
const everyMs = 3000;
const ratePerInstance = 6;
/** Of some storms all clients come at once when the last fault is over, or are impatient. */
const herd = { times: 8, forMs: 500 };

const bounds: Bounds = {
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

/** The service's defaults but for the limit, which is met more often. */
export function boundsOf(instances: number, changes: Partial<Bounds> = {}): Bounds {
  const changed = { ...bounds, ...changes };
  return { ...changed, fallbackRefillPerSecond: changed.refillPerSecond / instances };
}

export function stormOf(seed: number, { instances, minutes, rate }: StormOptions): Plan {
  const chance = new Chance(seed);
  const durationMs = Math.round(minutes * 60_000);
  const faults = drawFaults(chance, instances, durationMs);
  return {
    seed,
    instances,
    told: chance.unit() < 0.5,
    durationMs,
    rate: rate ?? instances * ratePerInstance,
    keys: { count: chance.oneOf([5, 50, 500]), skew: chance.oneOf([0.5, 1, 1.5]) },
    load: drawLoad(chance, faults),
    faults,
    bounds: boundsOf(instances),
  };
}

function drawFaults(chance: Chance, instances: number, durationMs: number): Fault[] {
  const untilMs = durationMs - restMs.after;
  const faults: Fault[] = [];
  for (let atMs = restMs.before; ; ) {
    const kind = chance.oneOf(faultKinds);
    const { hits, sizes } = effectOf(kind);
    const fault: Fault = {
      kind,
      atMs: Math.round(atMs),
      forMs: chance.whole(forMs.min, forMs.max),
      instances: hits === 'instances' ? chance.some(instances, chance.oneOf([0.1, 0.5, 1])) : [],
      size: chance.whole(...sizes),
    };
    if (fault.atMs + fault.forMs > untilMs) return faults;
    faults.push(fault);
    atMs += chance.between(0, 2 * everyMs);
  }
}

function drawLoad(chance: Chance, faults: readonly Fault[]): LoadChange[] {
  const last = faults.at(-1);
  const kind = chance.oneOf(['usual', 'usual', 'herd', 'impatient']);
  if (!last || kind === 'usual') return [];
  return kind === 'herd'
    ? [{ atMs: last.atMs + last.forMs, forMs: herd.forMs, times: herd.times }]
    : [{ atMs: last.atMs, forMs: last.forMs, again: 3 }];
}
