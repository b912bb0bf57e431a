// Puts a fault on and takes it off, and records when.

import type { Environment, Instance } from '../environment.ts';
import type { Fault } from '../faults/fault.ts';
import { sinceZeroMs, type Zero } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';

/** `target`: what the history calls that which is hit. */
export async function applyRecorded(
  action: 'inject' | 'heal',
  fault: Fault,
  environment: Environment,
  instance: Instance,
  recorder: Recorder,
  zero: Zero,
  target: string = instance.name,
): Promise<void> {
  const beginMs = sinceZeroMs(zero);
  await fault[action](environment, instance);
  const { name, losesState } = fault;
  recorder.record({ type: 'fault', action, fault: name, target, beginMs, endMs: sinceZeroMs(zero), losesState });
}
