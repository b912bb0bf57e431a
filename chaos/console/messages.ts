// What the console's server tells its pages, and what they may ask of it. Types only: both sides import them.

import type { Verdict } from '../checks/check.ts';
import type { AnswerEvent, HistoryEvent, RunEvent } from '../history.ts';
import type { AdmissionStep } from '../report/admission-lane.ts';
import type { Outcome, Point } from '../report/lanes.ts';
import type { Scenario } from '../scenario.ts';

/** What the lab does now. One thing at a time. */
export type Activity =
  | { readonly state: 'idle' }
  | {
      readonly state: 'starting' | 'running' | 'judging' | 'stopping';
      readonly mode: 'scenario' | 'manual';
      readonly scenario: string;
      readonly seed: number;
      readonly driver: string;
    };

/** How the last thing ended. */
export interface Outcomes {
  readonly scenario: string;
  readonly seed: number;
  readonly verdict: Verdict | 'stopped' | 'broken';
  readonly sentence: string;
  /** Path of its report on this server; null when there is none. */
  readonly report: string | null;
}

/** Name of a kind of fault. */
export type FaultKind = string;

/** One row of the switchboard: a link, or Redis itself, with the one fault that is on it. */
export interface Switch {
  readonly link: string;
  readonly faults: readonly FaultKind[];
  readonly on: { readonly fault: FaultKind; readonly untilEpochMs: number } | null;
  /** A change is under way. */
  readonly busy: boolean;
}

export interface Status {
  readonly activity: Activity;
  readonly last: Outcomes | null;
  readonly switches: readonly Switch[];
}

export interface LiveBin {
  readonly startMs: number;
  readonly requests: number;
  /** Milliseconds; null where there was no answer to measure, also where so many had none that it is infinite. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly controlP99: number | null;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly detours: Readonly<Record<string, number>>;
}

export interface LivePoint extends Point {
  /** Of the control arm. */
  readonly control: boolean;
}

export type LaneEvent = Exclude<HistoryEvent, RunEvent | AnswerEvent>;

/** What is new in the lanes of the run that is shown; with `run`, everything, and what was shown before is over. */
export interface LiveUpdate {
  readonly run?: RunEvent;
  /** How long the load is planned to last. */
  readonly plannedMs?: number;
  readonly atMs: number;
  readonly events: readonly LaneEvent[];
  /** Each replaces the one that began with it. */
  readonly bins: readonly LiveBin[];
  readonly points: readonly LivePoint[];
  /** `all` replaces what was known, else it is appended. */
  readonly admissions: { readonly key: string; readonly all: boolean; readonly steps: readonly AdmissionStep[] } | null;
}

export interface PastRun {
  readonly name: string;
  readonly scenario: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly verdict: Verdict | 'interrupted';
  readonly report: string | null;
}

/** What does not change while the console runs. */
export interface LabFacts {
  readonly scenarios: readonly Pick<Scenario, 'name' | 'family' | 'hypothesis'>[];
  readonly drivers: readonly string[];
  readonly limits: Limits;
}

export interface Limits {
  readonly rateMax: number;
  readonly manualRateMax: number;
  readonly seedMax: number;
  readonly faultSecondsMax: number;
}

/** The names of the server-sent events, with what each carries. */
export interface Feed {
  readonly facts: LabFacts;
  readonly status: Status;
  readonly live: LiveUpdate | null;
  /** Lines to append; the first one after a connection begins anew. */
  readonly log: { readonly all: boolean; readonly lines: readonly string[] };
  readonly runs: readonly PastRun[];
}
