// The event that a history begins with, of a scenario as of a session by hand: what is run, and on what.

import type { Environment } from './environment.ts';
import { historyVersion, type RunEvent } from './history.ts';
import type { Zero } from './observer.ts';

type Given = 'scenario' | 'hypothesis' | 'fault' | 'seed' | 'rate' | 'bounds';

/** `tells`: the instances that say how their breakers stand. */
export function runEventOf(
  { driver, instances, versions }: Environment,
  zero: Zero,
  tells: { has(instance: string): boolean },
  given: Pick<RunEvent, Given>,
): RunEvent {
  return {
    type: 'run',
    version: historyVersion,
    ...given,
    driver,
    startedAt: new Date(zero.epochMs).toISOString(),
    instances: instances.map(({ name, control }) => ({ name, control, tellsBreaker: tells.has(name) })),
    environment: versions,
  };
}
