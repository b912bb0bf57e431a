// From the faults of a scenario to what happens when: each time that one is put on and taken off again, in order of time.

import { UsageError } from '../errors.ts';
import type { Fault } from '../faults/fault.ts';
import type { PlannedFault } from '../history.ts';
import type { Bounds, Effect, FaultSpec, Scenario, ScheduledFault } from '../scenario.ts';

/** One time that a fault is put on. */
export interface Occurrence {
  readonly fault: Fault;
  readonly planned: PlannedFault;
}

/** Throws a `UsageError` that names the scenario, the fault and the figure where the schedule cannot be kept. */
export function occurrencesOf(
  { name, timing, faults = [] }: Pick<Scenario, 'name' | 'timing' | 'faults'>,
  bounds: Bounds,
  faultOf: (spec: FaultSpec) => Fault,
): Occurrence[] {
  const occurrences = faults
    .flatMap((scheduled) => {
      const fault = faultOf(scheduled.use);
      const reach = scheduled.on ?? fault.reaches[0];
      const wrong = mistakeIn(scheduled, timing) ?? unreachable(fault, reach);
      if (wrong !== undefined) throw new UsageError(`The scenario ${name} cannot be run: ${fault.kind} ${wrong}`);
      const { atMs, forMs, every = { ms: 0, times: 1 } } = scheduled;
      return Array.from({ length: every.times }, (_, i) => ({
        fault,
        planned: { use: scheduled.use, ...fault.facts(bounds, reach), atMs: atMs + i * every.ms, forMs },
      }));
    })
    .sort((a, b) => a.planned.atMs - b.planned.atMs);
  const clash = clashIn(occurrences);
  if (clash !== undefined) throw new UsageError(`The scenario ${name} cannot be run: ${clash}`);
  return occurrences;
}

/**
 * Faults may overlap. But what heals one must not heal the other: not the same fault in one place, nor two of the one store.
 * Nor may another one be in place while an instance cannot answer.
 */
function clashIn(occurrences: readonly Occurrence[]): string | undefined {
  for (const [i, { fault, planned }] of occurrences.entries()) {
    const endMs = planned.atMs + planned.forMs;
    const other = occurrences.slice(i + 1).find((it) => it.planned.atMs < endMs && mustBeApart(it, { fault, planned }));
    if (other && isAbsence(other, { planned }))
      return `${other.fault.kind} is to begin at ${other.planned.atMs} ms, and ${fault.kind} before it ends at ${endMs} ms; of an instance that cannot answer, or is late, nobody can tell what the other does to it.`;
    if (other)
      return `${other.fault.kind} is to begin at ${other.planned.atMs} ms, and ${fault.kind} before it ends at ${endMs} ms; what heals one would heal both.`;
  }
  return undefined;
}

/** Whether they must not be in place at once, though both are of one schedule. */
export function mustBeApart(one: Occurrence, other: Occurrence): boolean {
  return one.fault.kind === other.fault.kind || (isOfStore(one) && isOfStore(other)) || isAbsence(one, other);
}

function isAbsence(...faults: readonly Pick<Occurrence, 'planned'>[]): boolean {
  const absences: readonly Effect[] = ['unavailable', 'full', 'starved'];
  return faults.some(({ planned }) => absences.includes(planned.effect));
}

function isOfStore({ planned }: Pick<Occurrence, 'planned'>): boolean {
  return planned.reach === 'shared-store' || planned.reach === 'one-shard';
}

function unreachable({ reaches }: Fault, reach: Occurrence['planned']['reach']): string | undefined {
  return reaches.includes(reach) ? undefined : `is to hit "${reach}"; it can hit: ${reaches.join(', ')}.`;
}

function mistakeIn({ atMs, forMs, every }: ScheduledFault, timing: Scenario['timing']): string | undefined {
  const { warmupMs, durationMs } = timing;
  if (!(forMs > 0)) return `is to last ${forMs} ms; it has to last longer than 0.`;
  if (!(atMs >= warmupMs)) return `is to begin at ${atMs} ms; the warm-up ends at ${warmupMs} ms.`;
  if (every && !(Number.isInteger(every.times) && every.times > 0))
    return `is to be put on ${every.times} times; it has to be once at least.`;
  if (every && !(every.ms >= forMs))
    return `is to be put on every ${every.ms} ms for ${forMs} ms; it has to be healed before it comes again.`;
  const endMs = atMs + forMs + (every ? (every.times - 1) * every.ms : 0);
  return endMs <= durationMs ? undefined : `is to end at ${endMs} ms; the run ends at ${durationMs} ms.`;
}
