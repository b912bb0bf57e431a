// What happened: the events that a run appends to events.ndjson, and the history that is read back from them. Everything
// that judges or draws works on a history, never on the running system. Times are milliseconds, with microsecond
// digits, since the first scheduled request.

import type { Outcome } from './outcome.ts';
import type { Bounds, Effect, Ending, FaultSpec, PhaseName, Reach, StateEffect } from './scenario.ts';

export { isAllowed, isDenied, latencyMs } from './outcome.ts';

export const historyVersion = 2;

export interface InstanceInfo {
  readonly name: string;
  /** Its links are never faulted. */
  readonly control: boolean;
  /** It tells of its breaker, so that silence means that the breaker did not move. */
  readonly reportsBreaker: boolean;
}

/** What a target may tell: who decided, what remains, how its breaker moves. */
export const tellings = ['source', 'remaining', 'breaker'] as const;
export type Telling = (typeof tellings)[number];

/** What a fault says of itself: all that a check or a report needs to know of it. */
export interface FaultFacts {
  /** Its kind. */
  readonly fault: string;
  readonly effect: Effect;
  readonly state: StateEffect;
  readonly endsBy: Ending;
  readonly reach: Reach;
  /** What was broken, as a sentence without its full stop. */
  readonly description: string;
}

/** A fault of the run's schedule, once for each time that it is put on. Times are those planned. */
export interface PlannedFault extends FaultFacts {
  readonly use?: FaultSpec; // absent in files of an older lab
  readonly atMs: number;
  readonly forMs: number;
}

/** The load that a run is to have. */
export interface PlannedLoad {
  readonly durationMs: number;
  /** How many requests each instance is to get, the control too. */
  readonly requests: Readonly<Record<string, number>>;
  /** Of a cluster: it is to be told which keys each master holds. */
  readonly placed: boolean;
}

export interface RunEvent {
  readonly type: 'run';
  readonly version: typeof historyVersion;
  readonly scenario: string;
  readonly hypothesis: string;
  /** Name of the limiter under test; absent in files of an older lab. */
  readonly target?: string;
  /** What the target tells of itself. */
  readonly gives: readonly Telling[];
  /** In order of time. Empty when nothing is broken, or when faults are switched by hand. */
  readonly schedule: readonly PlannedFault[];
  readonly seed: number;
  readonly driver: string;
  /** Requests per second, over the instances that are faulted. */
  readonly rate: number;
  /** Absent where somebody ends the run by hand, and in files of an older lab. */
  readonly planned?: PlannedLoad;
  readonly keySuffix?: string; // ends the names of the run's keys, and of no other run's
  /** ISO 8601, of time zero. */
  readonly startedAt: string;
  readonly bounds: Bounds;
  readonly instances: readonly InstanceInfo[];
  readonly environment: Readonly<Record<string, string>>;
}

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
  readonly mechanism: 'redis' | 'fallback' | null;
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
  /** An instance, or `redis` where it is the store that all share. */
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
  /** `gone`: that Redis is none of the instance's any more; seen by then. */
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

export type HistoryEvent =
  | RunEvent
  | AnswerEvent
  | PhaseEvent
  | FaultEvent
  | ProbeEvent
  | BreakerEvent
  | PlacementEvent
  | FailoverEvent
  | StoreErrorsEvent;

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
  /** False when the run was cut off before its end. */
  readonly complete: boolean;
}

/** Orders the events of one run. A run that was cut off ends with its last answer. */
export function historyOf(events: Iterable<HistoryEvent>): History {
  let run: RunEvent | undefined;
  const starts: PhaseEvent[] = [];
  const answers: AnswerEvent[] = [];
  const faults: FaultEvent[] = [];
  const probes: ProbeEvent[] = [];
  const breaker: BreakerEvent[] = [];
  let placement: PlacementEvent | undefined;
  let failover: FailoverEvent | undefined;
  const storeErrors: StoreErrorsEvent[] = [];
  for (const event of events) {
    if (event.type === 'run') run = event;
    else if (event.type === 'answer') answers.push(event);
    else if (event.type === 'phase') starts.push(event);
    else if (event.type === 'fault') faults.push(event);
    else if (event.type === 'probe') probes.push(event);
    else if (event.type === 'breaker') breaker.push(event);
    else if (event.type === 'placement') placement = event;
    else if (event.type === 'failover') failover = event;
    else if (event.type === 'store-errors') storeErrors.push(event);
  }
  if (!run) throw new Error('the first line, which tells the scenario, is missing');
  breaker.sort((a, b) => a.atMs - b.atMs);
  storeErrors.sort((a, b) => a.atMs - b.atMs);
  const lastMs = answers.reduce((max, { scheduledMs }) => Math.max(max, scheduledMs), 0);
  const phases = starts.flatMap(({ phase, atMs }, i) =>
    phase === 'end' ? [] : [{ name: phase, startMs: atMs, endMs: starts[i + 1]?.atMs ?? lastMs }],
  );
  const complete = starts.at(-1)?.phase === 'end';
  return { run, phases, answers, faults, probes, breaker, placement, failover, storeErrors, complete };
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
