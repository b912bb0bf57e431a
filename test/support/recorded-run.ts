// A run of the lab as far as a simulation can live through it again: its load, its faults, and what each phase of it showed.
//
//   runs/RUN/events.ndjson ──record-runs.ts──▶ recorded-runs.json ──▶ replay.ts ──▶ the same figures, simulated

import type { AnswerEvent, BreakerEvent, History, PlannedFault } from '../../chaos/history.ts';
import { isAllowed, isControl, isDenied } from '../../chaos/history.ts';
import type { PhaseName, Scenario } from '../../chaos/scenario.ts';
import type { Plan } from '../../chaos/simulation/plan.ts';

/** Of the instances that faults can hit, between two instants. */
export interface PhaseFigures {
  readonly phase: PhaseName;
  /** Milliseconds since the first scheduled request. */
  readonly startMs: number;
  readonly endMs: number;
  readonly requests: number;
  /** Of the requests, 0 to 1: those that Redis decided, that were allowed, and that were refused. */
  readonly byStore: number;
  readonly allowed: number;
  readonly refused: number;
  /** Moves of breakers from closed to open. */
  readonly openings: number;
}

export interface RecordedRun extends Pick<Plan, 'seed' | 'rate' | 'durationMs' | 'keys' | 'load' | 'bounds'> {
  readonly scenario: string;
  readonly faults: readonly Pick<PlannedFault, 'use' | 'atMs' | 'forMs'>[];
  readonly phases: readonly PhaseFigures[];
  /** From the end of the last fault until Redis has decided for each instance again; 0 where there was none. */
  readonly recoveryMs: number;
}

type Seen = Pick<History, 'answers' | 'breaker'>;

export function phaseFigures(
  { answers, breaker }: Seen,
  phases: readonly Pick<PhaseFigures, 'phase' | 'startMs' | 'endMs'>[],
): PhaseFigures[] {
  return phases.map(({ phase, startMs, endMs }) => {
    const its = answers.filter(({ scheduledMs }) => scheduledMs >= startMs && scheduledMs < endMs);
    const shareOf = (is: (answer: AnswerEvent) => boolean) =>
      its.length === 0 ? 0 : Number((its.filter(is).length / its.length).toFixed(4));
    const isOpening = ({ from, to, atMs }: BreakerEvent) =>
      from === 'closed' && to === 'open' && atMs >= startMs && atMs < endMs;
    return {
      phase,
      startMs: Math.round(startMs),
      endMs: Math.round(endMs),
      requests: its.length,
      byStore: shareOf(({ source }) => source === 'shared'),
      allowed: shareOf(isAllowed),
      refused: shareOf(isDenied),
      openings: breaker.filter(isOpening).length,
    };
  });
}

export function recoveryMsOf({ answers }: Pick<Seen, 'answers'>, healedMs: number): number {
  const firstMs = new Map<string, number>();
  for (const { instance, source, sentMs } of answers)
    if (source === 'shared' && sentMs >= healedMs)
      firstMs.set(instance, Math.min(sentMs, firstMs.get(instance) ?? Number.POSITIVE_INFINITY));
  return Math.round(Math.max(healedMs, ...firstMs.values()) - healedMs);
}

export function lastHealMsOf(faults: RecordedRun['faults']): number {
  return Math.max(0, ...faults.map(({ atMs, forMs }) => atMs + forMs));
}

/** `scenario`: the one that was run, which alone tells keys and load. */
export function recordedRunOf(history: History, { keys, load = [] }: Scenario): RecordedRun {
  const { run } = history;
  const faults = run.schedule.map(({ use, atMs, forMs }) => ({ ...(use && { use }), atMs, forMs }));
  const ofFleet = ({ instance }: { readonly instance: string }) => !isControl(history, instance);
  const seen = { answers: history.answers.filter(ofFleet), breaker: history.breaker.filter(ofFleet) };
  return {
    scenario: run.scenario,
    seed: run.seed,
    rate: run.rate,
    durationMs: run.planned?.durationMs ?? 0,
    keys,
    load,
    bounds: run.bounds,
    faults,
    phases: phaseFigures(
      seen,
      history.phases.map(({ name, startMs, endMs }) => ({ phase: name, startMs, endMs })),
    ),
    recoveryMs: faults.length === 0 ? 0 : recoveryMsOf(seen, lastHealMsOf(faults)),
  };
}
