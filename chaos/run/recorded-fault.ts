// Puts a fault on and takes it off, and records when.

import type { Environment } from '../environment.ts';
import type { Fault, Target } from '../faults/fault.ts';
import type { FaultFacts } from '../history.ts';
import { sinceZeroMs, type Zero } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';

export async function applyRecorded(
  action: 'inject' | 'heal',
  fault: Fault,
  facts: FaultFacts,
  environment: Environment,
  target: Target,
  recorder: Recorder,
  zero: Zero,
): Promise<void> {
  const beginMs = sinceZeroMs(zero);
  await fault[action](environment, target);
  recorder.record({ type: 'fault', action, target: target.name, beginMs, endMs: sinceZeroMs(zero), ...facts });
}
