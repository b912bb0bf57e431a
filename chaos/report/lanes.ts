// The lanes of a run: what report, console and terminal draw, computed by the same pure functions from what was recorded.
//
//   answers ──┬─▶ bins        latency, and answers by source and status, per stretch of time
//             ├─▶ points      single latencies, the slowest always among them
//             └─▶ detours     answers that Redis did not give, by reason      (breaker-lane.ts: whose breaker was open)
//   breaker moves ─▶ spans    (breaker-lane.ts)
//   admissions ────▶ steps    (admission-lane.ts)
//   store errors ──▶ detours  (store-errors-lane.ts)
//
// Bins begin at multiples of their width, so the bins of a slice of answers are those of the whole wherever the slice
// covers them: who watches a run needs to compute only the last ones anew.

import { isWithoutStore } from '../checks/store-failure.ts';
import { type AnswerEvent, type History, isAllowed, isDenied, latencyMs } from '../history.ts';
import { type BreakerLane, stateAt } from './breaker-lane.ts';
import { type Latencies, latenciesAmong } from './summary.ts';
import { binMs, binStart } from './timeline.ts';

/** How a request ended: who decided and what, or that nobody did. */
export const outcomes = [
  'store allowed',
  'store refused',
  'fallback allowed',
  'fallback refused',
  'no bucket allowed',
  'no bucket refused',
  'unreported',
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
export function armOf({ run, answers }: History, arm: 'faulted' | 'control'): AnswerEvent[] {
  const controls = new Set(run.instances.filter(({ control }) => control).map(({ name }) => name));
  return answers.filter(({ instance }) => controls.has(instance) === (arm === 'control'));
}

export function tally(answers: readonly AnswerEvent[]): Tally {
  const counter = new Counter();
  for (const answer of answers) counter.add(answer);
  return counter.tally();
}

/** By the scheduled time, in order; stretches without any request have no bin. */
export function binsOf(answers: readonly AnswerEvent[], widthMs: number = binMs): Bin[] {
  const counters = new Map<number, Counter>();
  for (const answer of answers) entry(counters, binStart(answer.scheduledMs, widthMs), () => new Counter()).add(answer);
  return inOrder(counters).map(([startMs, counter]) => ({ startMs, ...counter.tally() }));
}

/**
 * At most `max` of them: the slowest of each of a quarter as many slices of time, and for the rest every n-th, so that the
 * picture shows both the mass and what stands out.
 */
export function pointsOf(answers: readonly AnswerEvent[], max: number): Points {
  const point = (answer: AnswerEvent): Point => ({ atMs: answer.scheduledMs, latencyMs: latencyMs(answer) });
  if (answers.length <= max) return { points: answers.map(point), of: answers.length };
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const { scheduledMs } of answers) {
    fromMs = Math.min(fromMs, scheduledMs);
    toMs = Math.max(toMs, scheduledMs);
  }
  const sliceMs = Math.max((toMs - fromMs) / (max / 4 - 1), Number.MIN_VALUE);
  const slowest = new Map<number, AnswerEvent>();
  for (const answer of answers) {
    const slice = Math.floor((answer.scheduledMs - fromMs) / sliceMs);
    const known = slowest.get(slice);
    if (!known || latencyMs(answer) > latencyMs(known)) slowest.set(slice, answer);
  }
  const chosen = new Set(slowest.values());
  const step = Math.ceil(answers.length / (max - chosen.size));
  for (let i = 0; i < answers.length; i += step) chosen.add(answers[i] as AnswerEvent);
  return { points: [...chosen].map(point), of: answers.length };
}

/** Why the fallback had to answer, or nobody did, bin by bin. `breakers` are the spans of `breakerLanes`. */
export function detoursOf(
  answers: readonly AnswerEvent[],
  breakers: readonly BreakerLane[],
  widthMs: number = binMs,
): Detours[] {
  const lanes = new Map(breakers.map((lane) => [lane.instance, lane]));
  const bins = new Map<number, Map<string, number>>();
  for (const answer of answers) {
    if (!isWithoutStore(answer) && outcomeOf(answer) !== 'failed') continue;
    const reasons = entry(bins, binStart(answer.scheduledMs, widthMs), () => new Map<string, number>());
    const reason = reasonOf(answer, lanes.get(answer.instance));
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return inOrder(bins).map(([startMs, reasons]) => ({ startMs, reasons }));
}

/** `unreported`: an answer that does not say who decided. */
function outcomeOf(answer: AnswerEvent): Outcome {
  const { status, source } = answer;
  if (source === 'none')
    return isAllowed(answer) ? 'no bucket allowed' : isDenied(answer) ? 'no bucket refused' : 'failed';
  if (status === 0 || status >= 500) return 'failed';
  if (source === null) return 'unreported';
  if (source === 'shared') return status === 429 ? 'store refused' : 'store allowed';
  return status === 429 ? 'fallback refused' : 'fallback allowed';
}

function reasonOf(answer: AnswerEvent, breaker: BreakerLane | undefined): string {
  if (answer.status === 0) return `no answer: ${answer.error ?? 'lost'}`;
  if (answer.status >= 500 && !isDenied(answer)) return `status ${answer.status}`;
  if (!breaker?.reportsBreaker) return 'fallback, reason not reported';
  return stateAt(breaker, answer.sentMs) === 'closed' ? 'call to Redis failed or late' : 'breaker not closed';
}

class Counter {
  readonly #latenciesMs: number[] = [];
  readonly #outcomes: Record<Outcome, number> = {
    'store allowed': 0,
    'store refused': 0,
    'fallback allowed': 0,
    'fallback refused': 0,
    'no bucket allowed': 0,
    'no bucket refused': 0,
    unreported: 0,
    failed: 0,
  };

  add(answer: AnswerEvent): void {
    this.#latenciesMs.push(latencyMs(answer));
    this.#outcomes[outcomeOf(answer)]++;
  }

  tally(): Tally {
    return {
      requests: this.#latenciesMs.length,
      latencyMs: latenciesAmong(this.#latenciesMs),
      outcomes: { ...this.#outcomes },
    };
  }
}

function entry<T>(map: Map<number, T>, key: number, create: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}

function inOrder<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].sort(([a], [b]) => a - b);
}
