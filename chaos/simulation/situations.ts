// What a fleet can be put through by name. A storm is drawn as a whole; of the others the schedule is fixed, and the seed
// draws arrivals, latencies and jitter.

import { UsageError } from '../errors.ts';
import type { LoadChange } from '../scenario.ts';
import type { Fault, FaultKind } from './faults.ts';
import { boundsOf, type Plan, type PlanOptions } from './plan.ts';
import { stormOf } from './storm.ts';

export interface Situation {
  readonly name: string;
  /** One line: what happens, and what is expected to hold. */
  readonly hypothesis: string;
  readonly planOf: (seed: number, options: PlanOptions) => Plan;
}

const ratePerInstance = 6;
/** A fault lasts from one third of the time to two thirds of it, and no longer than leaves time to recover. */
const restMs = 12_000;

const allOf = (instances: number) => Array.from({ length: instances }, (_, i) => i);

function outageOf(minutes: number): { readonly atMs: number; readonly forMs: number } {
  const durationMs = minutes * 60_000;
  const atMs = Math.round(Math.min(durationMs / 3, durationMs - restMs));
  return { atMs, forMs: Math.round(Math.min(durationMs / 3, durationMs - restMs - atMs / 2)) };
}

function fault(kind: FaultKind, changes: Partial<Fault> & Pick<Fault, 'atMs' | 'forMs'>): Fault {
  return { kind, instances: [], size: 1, ...changes };
}

function situation(
  name: string,
  hypothesis: string,
  faultsOf: (options: PlanOptions) => readonly Fault[],
  loadOf: (options: PlanOptions) => readonly LoadChange[] = () => [],
): Situation {
  return {
    name,
    hypothesis,
    planOf: (seed, options) => ({
      seed,
      instances: options.instances,
      told: false,
      durationMs: Math.round(options.minutes * 60_000),
      rate: options.rate ?? options.instances * ratePerInstance,
      keys: { count: 500, skew: 1 },
      load: loadOf(options),
      faults: faultsOf(options),
      bounds: boundsOf(options.instances),
    }),
  };
}

export const situations: readonly Situation[] = [
  {
    name: 'storm',
    hypothesis: 'Whatever breaks, at whatever time and however much of it at once, every bound holds.',
    planOf: stormOf,
  },
  situation(
    'partition',
    'When the whole fleet is cut off, each instance keeps to its share until Redis is back.',
    (options) => [fault('cut', { ...outageOf(options.minutes), instances: allOf(options.instances) })],
  ),
  situation(
    'herd',
    'When Redis comes back empty and all clients with it, the fleet connects spread out and Redis decides again.',
    (options) => [fault('restart', outageOf(options.minutes))],
    ({ minutes }) => {
      const { atMs, forMs } = outageOf(minutes);
      return [{ atMs: atMs + forMs, forMs: 1000, times: 8 }];
    },
  ),
  situation(
    'failovers',
    'When Redis fails over twice to replicas that lag, no more is lost than they had not heard.',
    (options) => {
      const { atMs, forMs } = outageOf(options.minutes);
      const one = { forMs: Math.round(forMs / 4), size: 500 };
      return [fault('failover', { ...one, atMs }), fault('failover', { ...one, atMs: Math.round(atMs + forMs / 2) })];
    },
  ),
  situation(
    'deploy',
    'When every instance is replaced, one after another, while Redis is away, each is soon back on Redis.',
    (options) => {
      const { atMs, forMs } = outageOf(options.minutes);
      const each = forMs / options.instances;
      return [
        fault('cut', { atMs, forMs, instances: allOf(options.instances) }),
        ...allOf(options.instances).map((i) =>
          fault('stop', { atMs: Math.round(atMs + i * each), forMs: 100, instances: [i] }),
        ),
      ];
    },
  ),
  situation(
    'autoscaling',
    'When the load grows while Redis is away and as many instances again join and leave, each keeps to the bound by itself.',
    (options) => {
      const { atMs, forMs } = outageOf(options.minutes);
      const joining = allOf(options.instances).slice(Math.ceil(options.instances / 2));
      const grown = { atMs: Math.round(atMs + forMs / 4), forMs: Math.round(forMs / 2) };
      return [
        fault('cut', { atMs, forMs, instances: allOf(options.instances) }),
        fault('scale-out', { ...grown, instances: joining }),
      ];
    },
    ({ minutes }) => {
      const { atMs, forMs } = outageOf(minutes);
      return [{ atMs, forMs, times: 3 }];
    },
  ),
];

/** Throws a `UsageError` when there is none of that name. */
export function situationOf(name: string): Situation {
  const found = situations.find((it) => it.name === name);
  if (found) return found;
  throw new UsageError(`--scenario is "${name}"; allowed: ${situations.map((it) => it.name).join(', ')}.`);
}
