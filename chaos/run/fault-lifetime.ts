// One time that a fault is put on, from the look before it to the look that finds it gone:
//
//   probe ─ wait ─ inject ─ probe, probe, … ─ heal ─ probe until healthy
//
// Where another fault shows meanwhile nobody looks: what is seen there may be the other's.
//
// Whatever happens, what was injected is healed before this returns or throws.

import type { Environment } from '../environment.ts';
import { faulted, type Target, targetsOf } from '../faults/fault.ts';
import type { FailoverWatch } from '../watch/failovers.ts';
import { isHiddenAt, probeLinks, sinceZeroMs, type Zero } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';
import type { Phases } from './phases.ts';
import { applyRecorded } from './recorded-fault.ts';
import { mustBeApart, type Occurrence } from './schedule.ts';

const probeEveryMs = 500;
/** How long a healed link may take to show it. */
const healedMsMax = 5000;

export interface Stage {
  readonly environment: Environment;
  readonly recorder: Recorder;
  readonly zero: Zero;
  readonly phases: Phases;
  readonly failover: FailoverWatch;
  /** The targets of each fault that is on. */
  readonly inPlace: Map<Occurrence, readonly Target[]>;
  /** Where all faults of a storm are looked for at once before the first of them, their connections are a fault of their own. */
  readonly oneByOne: <T>(look: () => Promise<T>) => Promise<T>;
  /** Resolves at that instant of the run; rejects when the run is stopped before. */
  readonly reached: (ms: number) => Promise<void>;
  readonly stop: AbortSignal;
}

export async function putOn(occurrence: Occurrence, stage: Stage): Promise<void> {
  const { zero, phases, failover, reached, stop, environment, recorder } = stage;
  const { fault, planned } = occurrence;
  await using lifetime = lifetimeOf(occurrence, stage);
  const hidden = () => hiddenBehindOthers(lifetime.targets, stage);
  const probe = async (expected: 'healthy' | 'broken') => {
    const before = hidden();
    const probes = await probeLinks(environment, fault, lifetime.targets, expected, zero, before);
    const after = hidden(); // one that was put on meanwhile may be what was seen
    recorder.record(...probes.filter(({ instance }) => !after.has(instance)));
    return before.size + after.size === 0 && probes.every(({ seen }) => seen === 'healthy');
  };
  await stage.oneByOne(() => probe('healthy'));
  await reached(planned.atMs);
  // Where the lab is late, an earlier fault may not be healed yet that this one must not meet.
  while ([...stage.inPlace.keys()].some((other) => mustBeApart(other, occurrence)))
    await reached(sinceZeroMs(zero) + 100);
  if (planned.endsBy === 'failover') await failover.place();
  stop.throwIfAborted();
  phases.injecting();
  const healMs = sinceZeroMs(zero) + planned.forMs;
  await lifetime.inject();
  stop.throwIfAborted();
  const probeUntil = async (endMs: number) => {
    // Not at once: the probes' own work would fall into the milliseconds in which the limiter meets the fault.
    let nextMs = sinceZeroMs(zero) + probeEveryMs;
    await reached(Math.min(nextMs, endMs));
    while (sinceZeroMs(zero) < endMs) {
      nextMs = sinceZeroMs(zero) + probeEveryMs;
      await probe('broken');
      await reached(Math.min(nextMs, endMs));
    }
  };
  const watching = planned.endsBy === 'failover' ? failover.until(healMs, stop) : undefined;
  // A probe of a silent link takes its time: the last one has to be over before the heal.
  await Promise.all([probeUntil(Math.max(healMs - probeEveryMs, sinceZeroMs(zero))), watching]);
  await reached(healMs);
  phases.healing();
  await lifetime.heal();
  phases.healed();
  let endMs = sinceZeroMs(zero) + healedMsMax;
  while (!(await probe('healthy')) && sinceZeroMs(zero) < endMs) {
    if (hidden().size > 0) endMs = sinceZeroMs(zero) + healedMsMax;
    await reached(sinceZeroMs(zero) + 100);
  }
}

/** The instances at which the fault of these targets shows, and another one in the same place as well. */
function hiddenBehindOthers(targets: readonly Target[], { environment, inPlace }: Stage): Set<string> {
  const others = [...inPlace.values()].filter((it) => it !== targets).flat();
  const isHidden = (name: string) => targets.some((target) => others.some((other) => isHiddenAt(name, target, other)));
  const names = faulted(environment).map(({ name }) => name);
  return new Set(names.filter(isHidden));
}

/** Injects and heals, and records both. Disposing of it heals what is still injected. */
function lifetimeOf(occurrence: Occurrence, { environment, recorder, zero, inPlace }: Stage) {
  const { fault, planned } = occurrence;
  const { use: _, atMs: __, forMs: ___, ...facts } = planned;
  const targets = targetsOf(planned.reach, environment);
  let injected = false;
  const apply = (action: 'inject' | 'heal') =>
    Promise.all(
      targets.map((target: Target) => applyRecorded(action, fault, facts, environment, target, recorder, zero)),
    );
  return {
    targets,
    async inject() {
      injected = true;
      inPlace.set(occurrence, targets);
      await apply('inject');
    },
    async heal() {
      await apply('heal');
      inPlace.delete(occurrence);
      injected = false;
    },
    async [Symbol.asyncDispose]() {
      if (injected) await this.heal();
    },
  };
}
