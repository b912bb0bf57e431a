// A recorded run, lived through again in a simulation: the same requests at the same instants, and the same faults.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerEvent, BreakerEvent } from '../../chaos/history.ts';
import type { FaultSpec } from '../../chaos/scenario.ts';
import type { Fault } from '../../chaos/simulation/faults.ts';
import { World } from '../../chaos/simulation/world.ts';
import { service } from '../../scenarios/simulated/limiter.ts';
import { lastHealMsOf, phaseFigures, type RecordedRun, recoveryMsOf } from './recorded-run.ts';

export const recordedRuns: readonly RecordedRun[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded-runs.json'), 'utf8'),
);

const fleet = [0, 1] as const;

/** What the simulation has of a fault of the lab. */
function simulatedFaults(use: FaultSpec, atMs: number, forMs: number): Fault[] {
  const fault = { atMs, forMs, size: 1 };
  switch (use.kind) {
    case 'partition':
      return [{ ...fault, kind: 'cut', instances: fleet }];
    case 'redis-kill':
      return [{ ...fault, kind: 'restart', instances: [] }];
    case 'misconf': // as a Redis without memory does, it refuses every write
      return [{ ...fault, kind: 'oom', instances: [] }];
    case 'instance-kill':
      return [{ ...fault, kind: 'kill', instances: [0] }];
    case 'latency-ramp': {
      const { latencyMs, overMs, steps } = use as unknown as { latencyMs: number; overMs: number; steps: number };
      return Array.from({ length: steps }, (_, step) => {
        const laterMs = (step * overMs) / steps;
        const size = latencyMs / steps;
        return { kind: 'slow', atMs: atMs + laterMs, forMs: forMs - laterMs, instances: fleet, size };
      });
    }
    default:
      throw new Error(`the simulation has no fault for ${use.kind}`);
  }
}

/** The figures of the same phases, simulated. */
export async function replayed(run: RecordedRun): Promise<Pick<RecordedRun, 'phases' | 'recoveryMs'>> {
  const { seed, rate, durationMs, keys, load, bounds } = run;
  const answers: AnswerEvent[] = [];
  const breaker: BreakerEvent[] = [];
  const faults = run.faults.flatMap(({ use, atMs, forMs }) => (use ? simulatedFaults(use, atMs, forMs) : []));
  const world = new World(
    { seed, instances: fleet.length, told: true, rate, durationMs, keys, load, bounds, faults },
    service,
    [{ answered: (answer) => answers.push(answer), moved: (move) => breaker.push(move) }],
  );
  await world.live();
  return {
    phases: phaseFigures({ answers, breaker }, run.phases),
    recoveryMs: faults.length === 0 ? 0 : recoveryMsOf({ answers }, lastHealMsOf(run.faults)),
  };
}
