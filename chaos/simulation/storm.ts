// A storm: everything that can go wrong, drawn from a seed. The same seed is the same storm, for a fleet of any size and
// however long: one that lasts longer begins in the same way.

import type { LoadChange } from '../scenario.ts';
import { Chance } from './chance.ts';
import { effectOf, type Fault, faultKinds } from './faults.ts';
import { boundsOf, type Plan, type PlanOptions } from './plan.ts';

/** Instances start and count themselves before the first fault; after the last the fleet must recover and show it. */
const restMs = { before: 3000, after: 9000 };
const forMs = { min: 1000, max: 6000 };
/** A fault each so many milliseconds, on average. */
const everyMs = 3000;
/** Storms of a fleet that grows and shrinks: how often it does, and for how long. */
const scaling = { timesMax: 2, forMs: { min: 1000, max: 12_000 } };
const ratePerInstance = 6;
/** Of some storms all clients come at once when the last fault is over, or are impatient. */
const herd = { times: 8, forMs: 500 };

/** Apart from the seeds that the rest of a storm takes. */
const scalingSeed = 1_000_003;
const drawnKinds = faultKinds.filter((kind) => kind !== 'scale-out');

export function stormOf(seed: number, { instances, minutes, rate }: PlanOptions): Plan {
  const chance = new Chance(seed);
  const durationMs = Math.round(minutes * 60_000);
  const told = chance.unit() < 0.5;
  const keys = { count: chance.oneOf([5, 50, 500]), skew: chance.oneOf([0.5, 1, 1.5]) };
  const loadKind = chance.oneOf(['usual', 'usual', 'herd', 'impatient'] as const);
  const faults = drawFaults(chance, seed, instances, durationMs);
  return {
    seed,
    instances,
    told,
    durationMs,
    rate: rate ?? instances * ratePerInstance,
    keys,
    load: loadOf(loadKind, faults),
    faults: [...faults, ...drawScaling(seed, instances, durationMs)],
    bounds: boundsOf(instances),
  };
}

/** By a chance of its own, so that all else of the storm is as it would be without. The first instance is always there. */
function drawScaling(seed: number, instances: number, durationMs: number): Fault[] {
  const chance = new Chance(seed + scalingSeed);
  const untilMs = durationMs - restMs.after;
  const drawn = Array.from({ length: chance.whole(0, scaling.timesMax) }, (): Fault => {
    const forMs = chance.whole(scaling.forMs.min, scaling.forMs.max);
    const atMs = Math.round(chance.between(restMs.before, untilMs - scaling.forMs.min));
    const joining = chance.some(instances, chance.oneOf([0.1, 0.5, 1])).filter((i) => i > 0);
    return { kind: 'scale-out', atMs, forMs: Math.min(forMs, untilMs - atMs), instances: joining, size: 1 };
  });
  return drawn.filter((fault) => fault.instances.length > 0);
}

function drawFaults(chance: Chance, seed: number, instances: number, durationMs: number): Fault[] {
  const untilMs = durationMs - restMs.after;
  const faults: Fault[] = [];
  for (let atMs = restMs.before; ; ) {
    const kind = chance.oneOf(drawnKinds);
    const { hits, sizes } = effectOf(kind);
    const [share, size] = [chance.oneOf([0.1, 0.5, 1]), chance.whole(...sizes)];
    const fault: Fault = {
      kind,
      atMs: Math.round(atMs),
      forMs: chance.whole(forMs.min, forMs.max),
      // By a chance of its own, so that the storm is the same for a smaller fleet.
      instances: hits === 'instances' ? new Chance(seed + faults.length + 1).some(instances, share) : [],
      size,
    };
    if (fault.atMs + fault.forMs > untilMs) return faults;
    faults.push(fault);
    atMs += chance.between(0, 2 * everyMs);
  }
}

function loadOf(kind: 'usual' | 'herd' | 'impatient', faults: readonly Fault[]): LoadChange[] {
  const last = faults.at(-1);
  if (!last || kind === 'usual') return [];
  return kind === 'herd'
    ? [{ atMs: last.atMs + last.forMs, forMs: herd.forMs, times: herd.times }]
    : [{ atMs: last.atMs, forMs: last.forMs, again: 3 }];
}
