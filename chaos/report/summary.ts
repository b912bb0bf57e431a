// The figures of a run, computed once for everything that shows them.

import { ascending, quantile, toMicroseconds } from '../checks/quantile.ts';
import { type FailureKind, failuresIn } from '../failure.ts';
import { type AnswerEvent, answersIn, type History, latencyMs, type Phase, type SourceKind } from '../history.ts';
import { type Mechanism, mechanismOf } from '../targets/mechanisms.ts';

/** Milliseconds; infinite where so many requests had no answer, which JSON tells as null; null where there was no request. */
export interface Latencies {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

export interface PhaseSummary {
  /** From the beginning of its first stretch to the end of its last. */
  readonly startMs: number;
  readonly endMs: number;
  readonly requests: number;
  readonly answered: number;
  /** Answers by HTTP status. */
  readonly status: Readonly<Record<string, number>>;
  /** Requests without a decision, by kind; kinds of which there are none are left out. */
  readonly errors: Partial<Record<FailureKind, number>>;
  readonly mechanism: Readonly<Record<Mechanism, number>>;
  readonly latencyMs: Latencies;
  readonly controlLatencyMs: Latencies;
}

/** Of all stretches of a phase, in order of time: there is one of `fault` for each fault of a schedule. */
export function summarize(history: History, stretches: readonly Phase[]): PhaseSummary {
  const answers = answersIn(history, stretches, 'faulted');
  const answered = answers.filter(({ status }) => status !== 0);
  const statuses = Map.groupBy(answered, ({ status }) => String(status));
  const by = (kind: SourceKind) => answered.filter(({ source }) => source === kind).length;
  return {
    startMs: stretches[0]?.startMs ?? Number.NaN,
    endMs: stretches.at(-1)?.endMs ?? Number.NaN,
    requests: answers.length,
    answered: answered.length,
    status: Object.fromEntries([...statuses].sort().map(([status, { length }]) => [status, length])),
    errors: failuresIn(answers),
    mechanism: { [mechanismOf.shared]: by('shared'), [mechanismOf.local]: by('local') },
    latencyMs: latenciesOf(answers),
    controlLatencyMs: latenciesOf(answersIn(history, stretches, 'control')),
  };
}

export function latenciesOf(answers: readonly AnswerEvent[]): Latencies {
  return latenciesAmong(answers.map(latencyMs));
}

/** Of latencies in ms, in any order. */
export function latenciesAmong(latenciesMs: readonly number[]): Latencies {
  const sorted = ascending(latenciesMs);
  const at = (q: number) => {
    const value = quantile(sorted, q);
    return Number.isNaN(value) ? null : toMicroseconds(value);
  };
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}
