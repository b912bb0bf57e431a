// The lanes of a run: what report, console and terminal draw, computed by the same pure functions from what was recorded.
//
//   answers ──┬─▶ bins        latency, and answers by mechanism and status, per stretch of time
//             ├─▶ points      single latencies, the slowest always among them
//             └─▶ detours     answers that Redis did not give, by reason      (breaker-lane.ts: whose breaker was open)
//   breaker moves ─▶ spans    (breaker-lane.ts)
//   admissions ────▶ steps    (admission-lane.ts)
//
// Bins begin at multiples of their width, so the bins of a slice of answers are those of the whole wherever the slice
// covers them: who watches a run needs to compute only the last ones anew.

import { type AnswerEvent, type History, isControl, latencyMs } from '../history.ts';
import { type BreakerLane, stateAt } from './breaker-lane.ts';
import { type Latencies, latenciesOf } from './summary.ts';

/** Width of a bin of the charts. */
export const binMs = 250;

/** How a request ended: who decided and what, or that nobody did. */
export const outcomes = [
  'redis allowed',
  'redis refused',
  'fallback allowed',
  'fallback refused',
  'untold',
  'failed',
] as const;
export type Outcome = (typeof outcomes)[number];

export interface Tally {
  readonly requests: number;
  readonly latencyMs: Latencies;
  readonly outcomes: Readonly<Record<Outcome, number>>;
}

export interface Bin extends Tally {
  readonly startMs: number;
}

export interface Point {
  readonly atMs: number;
  /** Infinite when there was no answer. */
  readonly latencyMs: number;
}

export interface Points {
  readonly points: readonly Point[];
  /** How many answers they were taken from. */
  readonly of: number;
}

/** Answers of one bin that Redis did not give, by reason. */
export interface Detours {
  readonly startMs: number;
  readonly reasons: ReadonlyMap<string, number>;
}

/** The answers of the faulted instances, or of the control. */
export function armOf(history: History, arm: 'faulted' | 'control'): AnswerEvent[] {
  return history.answers.filter(({ instance }) => isControl(history, instance) === (arm === 'control'));
}

export function tally(answers: readonly AnswerEvent[]): Tally {
  const counts: Record<Outcome, number> = {
    'redis allowed': 0,
    'redis refused': 0,
    'fallback allowed': 0,
    'fallback refused': 0,
    untold: 0,
    failed: 0,
  };
  for (const answer of answers) counts[outcomeOf(answer)]++;
  return { requests: answers.length, latencyMs: latenciesOf(answers), outcomes: counts };
}

/** `untold`: an answer that does not say who decided. */
function outcomeOf({ status, mechanism }: AnswerEvent): Outcome {
  if (status === 0 || status >= 500) return 'failed';
  if (mechanism === null) return 'untold';
  return `${mechanism} ${status === 429 ? 'refused' : 'allowed'}`;
}

/** By the scheduled time, in order; stretches without any request have no bin. */
export function binsOf(answers: readonly AnswerEvent[], widthMs: number = binMs): Bin[] {
  return grouped(answers, widthMs).map(([startMs, group]) => ({ startMs, ...tally(group) }));
}

/**
 * At most about `max` of them: the slowest of each bin, then the slowest of all up to a quarter, then every n-th, so that
 * the picture shows both the mass and what stands out.
 */
export function pointsOf(answers: readonly AnswerEvent[], max: number, widthMs: number = binMs): Points {
  const point = (answer: AnswerEvent): Point => ({ atMs: answer.scheduledMs, latencyMs: latencyMs(answer) });
  if (answers.length <= max) return { points: answers.map(point), of: answers.length };
  const slowest = new Map<number, AnswerEvent>();
  for (const answer of answers) {
    const bin = Math.floor(answer.scheduledMs / widthMs);
    const known = slowest.get(bin);
    if (!known || latencyMs(answer) > latencyMs(known)) slowest.set(bin, answer);
  }
  const every = <T>(all: readonly T[], room: number): T[] => {
    const step = Math.max(1, Math.ceil(all.length / Math.max(1, room)));
    return all.filter((_, i) => i % step === 0);
  };
  const chosen = new Set(every([...slowest.values()], max / 2));
  const latencies = Float64Array.from(answers, latencyMs).sort();
  const slowMs = latencies[latencies.length - Math.ceil(max / 4)] ?? Number.POSITIVE_INFINITY;
  const slow = answers.filter((answer) => latencyMs(answer) > slowMs);
  for (const answer of slow) chosen.add(answer);
  for (const answer of every(answers, max - chosen.size)) chosen.add(answer);
  return { points: [...chosen].map(point), of: answers.length };
}

/** Why the fallback had to answer, or nobody did, bin by bin. `breakers` are the spans of `breakerLanes`. */
export function detoursOf(
  answers: readonly AnswerEvent[],
  breakers: readonly BreakerLane[],
  widthMs: number = binMs,
): Detours[] {
  const lanes = new Map(breakers.map((lane) => [lane.instance, lane]));
  const away = answers.filter((answer) => answer.mechanism === 'fallback' || outcomeOf(answer) === 'failed');
  return grouped(away, widthMs).map(([startMs, group]) => {
    const reasons = new Map<string, number>();
    for (const answer of group) {
      const reason = reasonOf(answer, lanes.get(answer.instance));
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    return { startMs, reasons };
  });
}

function reasonOf(answer: AnswerEvent, breaker: BreakerLane | undefined): string {
  if (answer.status === 0) return `no answer: ${answer.error ?? 'lost'}`;
  if (answer.status >= 500) return `status ${answer.status}`;
  if (!breaker?.told) return 'fallback, reason not told';
  return stateAt(breaker, answer.sentMs) === 'closed' ? 'call to Redis failed or late' : 'breaker not closed';
}

function grouped(answers: readonly AnswerEvent[], widthMs: number): [startMs: number, AnswerEvent[]][] {
  const groups = new Map<number, AnswerEvent[]>();
  for (const answer of answers) {
    const startMs = Math.floor(answer.scheduledMs / widthMs) * widthMs;
    const group = groups.get(startMs);
    if (group) group.push(answer);
    else groups.set(startMs, [answer]);
  }
  return [...groups].sort(([a], [b]) => a - b);
}
