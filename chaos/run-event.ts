// What a run is to be: the first line of its record, before anything happens.

import type { Bounds, Effect, Ending, FaultSpec, Reach, StateEffect, WithoutStore } from './scenario.ts';

export const historyVersion = 3;

export interface InstanceInfo {
  readonly name: string;
  readonly control: boolean; // its links are never faulted
  /** It tells of its breaker, so that silence means that the breaker did not move. */
  readonly reportsBreaker: boolean;
}

/** What a target may report: who decided, what remains, how its breaker moves. */
export const reportables = ['source', 'remaining', 'breaker'] as const;
export type Reportable = (typeof reportables)[number];

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
  readonly gives: readonly Reportable[];
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
  readonly withoutStore?: WithoutStore; // absent where its fallback decides then
  readonly instances: readonly InstanceInfo[];
  readonly environment: Readonly<Record<string, string>>;
}
