// What happened: the events that a run appends to events.ndjson, and the history that is read back from them. Everything
// that judges or draws works on a history, never on the running system. Times are milliseconds, with microsecond
// digits, since the first scheduled request.

import type { Outcome } from './outcome.ts';
import type { FaultFacts, RunEvent } from './run-event.ts';
import type { PhaseName } from './scenario.ts';

export { isAllowed, isDenied, latencyMs } from './outcome.ts';
export * from './run-event.ts';

/** Who decides: the store that all instances share, or an instance's own fallback. */
export const sourceKinds = ['shared', 'local'] as const;
export type SourceKind = (typeof sourceKinds)[number];
/** `none`: the limiter was told what to answer without its store, and no bucket stands behind it. */
export const answerSources = [...sourceKinds, 'none'] as const;
export type AnswerSource = (typeof answerSources)[number];

/** One request as its client saw it. */
export interface AnswerEvent {
  readonly type: 'answer';
  readonly instance: string;
  readonly key: string;
  readonly scheduledMs: number;
  readonly sentMs: number;
  /** When the answer was complete, or when the client gave up. */
  readonly receivedMs: number;
  readonly status: number; // of HTTP; 0 when there was no answer
  /** What the target means by it; absent where its status says so: 2xx allows, 429 denies, and all else has failed. */
  readonly outcome?: Outcome;
  /** Null when it does not say who decided. */
  readonly source: AnswerSource | null;
  readonly remaining: number | null; // how many tokens it says are left, from 0; null when it tells no such number
  readonly retryAfterS?: number; // when it says to ask again, in seconds from then
  readonly error?: string;
}

export interface PhaseEvent {
  readonly type: 'phase';
  readonly phase: PhaseName | 'end';
  readonly atMs: number;
}

/** A fault was put on or taken off a target, some time between `beginMs` and `endMs`. */
export interface FaultEvent extends FaultFacts {
  readonly type: 'fault';
  readonly action: 'inject' | 'heal';
  /** An instance, or `sharedStoreName`. */
  readonly target: string;
  readonly beginMs: number;
  readonly endMs: number;
}

/** Before the fault: which keys of the clients each master of a cluster holds, by its `host:port`, and which one is hit. */
export interface PlacementEvent {
  readonly type: 'placement';
  readonly atMs: number;
  readonly victim: string;
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/** Until `beginMs` nobody named another master in the victim's place, from `endMs` on all did. */
export interface FailoverEvent {
  readonly type: 'failover';
  readonly beginMs: number;
  readonly endMs: number;
  /** `host:port` of both. */
  readonly from: string;
  readonly to: string;
}

/** A PING of its own through a store link, independent of the limiter. */
export interface ProbeEvent {
  readonly type: 'probe';
  readonly instance: string;
  readonly atMs: number;
  readonly expected: 'healthy' | 'broken';
  /** `other`: neither an answer nor what this fault causes. */
  readonly seen: 'healthy' | 'broken' | 'other';
  readonly detail: string;
}

export interface BreakerEvent {
  readonly type: 'breaker';
  readonly instance: string;
  /** Which Redis it guards, where an instance tells: it has a breaker for each. */
  readonly shard?: string;
  readonly atMs: number;
  readonly from: string;
  /** `gone`: that Redis is none of the instance's any more, or the instance is another; seen by then. */
  readonly to: string;
}

/** How many calls to Redis had failed on an instance since it started, by reason, when its metrics were scraped. */
export interface StoreErrorsEvent {
  readonly type: 'store-errors';
  readonly instance: string;
  readonly atMs: number;
  /** Reasons of which there were none are left out. */
  readonly totals: Readonly<Record<string, number>>;
}

/** How much of the machine's memory an instance's process had. */
export interface MemoryEvent {
  readonly type: 'memory';
  readonly instance: string;
  readonly atMs: number;
  readonly residentBytes: number;
}

/** How many commands a Redis had been given since its start that use it, from wherever they came. */
export interface StoreUseEvent {
  readonly type: 'store-use';
  /** The control, for its own; or `sharedStoreName`. */
  readonly instance: string;
  readonly atMs: number;
  /** Of a single faulted instance: at how many looks it had used the shared one within the last 2 s. */
  readonly commands: number;
}

export type HistoryEvent =
  | RunEvent
  | AnswerEvent
  | PhaseEvent
  | FaultEvent
  | ProbeEvent
  | BreakerEvent
  | PlacementEvent
  | FailoverEvent
  | StoreErrorsEvent
  | MemoryEvent
  | StoreUseEvent;

export interface Phase {
  readonly name: PhaseName;
  readonly startMs: number;
  readonly endMs: number;
}

export interface History {
  readonly run: RunEvent;
  readonly phases: readonly Phase[];
  readonly answers: readonly AnswerEvent[];
  readonly faults: readonly FaultEvent[];
  readonly probes: readonly ProbeEvent[];
  /** In order of time. */
  readonly breaker: readonly BreakerEvent[];
  /** Undefined where all keys are in one Redis. */
  readonly placement: PlacementEvent | undefined;
  readonly failover: FailoverEvent | undefined;
  /** In order of time; none where the limiter, or the lab that wrote the file, does not tell. */
  readonly storeErrors: readonly StoreErrorsEvent[];
  /** In order of time; none where the lab does not see the processes, or in files of an older lab. */
  readonly memory: readonly MemoryEvent[];
  /** In order of time; none where the lab does not reach that Redis, or in files of an older lab. */
  readonly storeUse: readonly StoreUseEvent[];
  /** False when the run was cut off before its end. */
  readonly complete: boolean;
}

/** Orders the events of one run. A run that was cut off ends with its last answer. */
export function historyOf(events: Iterable<HistoryEvent>): History {
  const byType = Object.groupBy(events, ({ type }) => type);
  const all = <T extends HistoryEvent['type']>(type: T) => (byType[type] ?? []) as Extract<HistoryEvent, { type: T }>[];
  const run = all('run').at(-1);
  if (!run) throw new Error('the first line, which tells the scenario, is missing');
  const answers = all('answer');
  const starts = all('phase');
  const lastMs = answers.reduce((max, { scheduledMs }) => Math.max(max, scheduledMs), 0);
  return {
    run,
    phases: starts.flatMap(({ phase, atMs }, i) =>
      phase === 'end' ? [] : [{ name: phase, startMs: atMs, endMs: starts[i + 1]?.atMs ?? lastMs }],
    ),
    answers,
    faults: all('fault'),
    probes: all('probe'),
    breaker: all('breaker').sort((a, b) => a.atMs - b.atMs),
    placement: all('placement').at(-1),
    failover: all('failover').at(-1),
    storeErrors: all('store-errors').sort((a, b) => a.atMs - b.atMs),
    memory: all('memory').sort((a, b) => a.atMs - b.atMs),
    storeUse: all('store-use').sort((a, b) => a.atMs - b.atMs),
    complete: starts.at(-1)?.phase === 'end',
  };
}

export function isControl(history: History, instance: string): boolean {
  return history.run.instances.some(({ name, control }) => name === instance && control);
}

/** The answers to requests scheduled in one of the stretches, of the faulted instances or of the control. */
export function answersIn(
  history: History,
  stretches: Stretch | readonly Stretch[],
  arm: 'faulted' | 'control',
): AnswerEvent[] {
  const all = [stretches].flat();
  return history.answers.filter(
    ({ scheduledMs, instance }) =>
      all.some(({ startMs, endMs }) => scheduledMs >= startMs && scheduledMs < endMs) &&
      isControl(history, instance) === (arm === 'control'),
  );
}

export type Stretch = Pick<Phase, 'startMs' | 'endMs'>;

/** The phases by name, in order: with several faults one comes more than once, and is judged as one. */
export function phasesByName({ phases }: Pick<History, 'phases'>): Map<PhaseName, Phase[]> {
  return Map.groupBy(phases, ({ name }) => name);
}
