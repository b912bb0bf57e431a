// One experiment from beginning to end:
//
//   environment ─▶ load, and its schedule of faults over it ─▶ history ─▶ checks ─▶ verdict
//
// Whatever happens, the fault is healed and all that was started is ended before this returns or throws.

import { setTimeout as delay } from 'node:timers/promises';
import { boundsFor } from '../bounds.ts';
import { every, monotonicUs } from '../clock.ts';
import type { Environment } from '../environment.ts';
import { type Fault, faulted } from '../faults/fault.ts';
import { faultOf } from '../faults/index.ts';
import type { AnswerEvent } from '../history.ts';
import { seeToItThatPossible } from '../load/load-changes.ts';
import type { FaultSpec, PhaseName, Scenario } from '../scenario.ts';
import { failopen } from '../targets/failopen.ts';
import { FailoverWatch } from '../watch/failovers.ts';
import { sinceZeroMs, type Zero } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';
import { putOn, type Stage } from './fault-lifetime.ts';
import { Phases } from './phases.ts';
import { queue } from './queue.ts';
import { type RecordedRunOptions, type RunResult, recordedRun } from './recorded-run.ts';
import { type Occurrence, occurrencesOf } from './schedule.ts';
import { underLoad } from './under-load.ts';

export interface RunOptions extends Omit<RecordedRunOptions, 'scenario' | 'topology' | 'needs' | 'withoutStore'> {
  readonly scenario: Scenario;
  /** What the scenario's faults are in this run: those of their name, unless a test says otherwise. */
  readonly faultOf?: (spec: FaultSpec) => Fault;
  /** Requests per second over the faulted instances. */
  readonly rate: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly phase: PhaseName | 'starting' | 'warm-up' | 'judging';
  readonly remainingMs: number;
  /** Answers of the faulted instances since the last report. */
  readonly answers: readonly AnswerEvent[];
  /** State of each instance's breaker, by name. */
  readonly breakers: ReadonlyMap<string, string>;
}

const progressEveryMs = 1000;

export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { scenario, signal, onProgress } = options;
  signal.throwIfAborted();
  // Before anything is started: a mistake in the schedule costs nothing.
  seeToItThatPossible(scenario);
  const occurrences = occurrencesOf(
    scenario,
    boundsFor(options.target ?? failopen, options.service),
    options.faultOf ?? faultOf,
  );
  const tell = (phase: Progress['phase']) => onProgress({ phase, remainingMs: 0, answers: [], breakers: new Map() });
  const { name, topology = 'single', withoutStore } = scenario;
  const driver: RunOptions['driver'] = (wanted) => {
    tell('starting');
    return options.driver(wanted);
  };
  const needs = new Set(occurrences.flatMap(({ fault }) => fault.needs));
  return recordedRun(
    { ...options, scenario: name, topology, needs, withoutStore, driver },
    async (environment, recorder, broken) => {
      const stop = AbortSignal.any([signal, broken]);
      stop.throwIfAborted();
      await experiment(options, occurrences, environment, recorder, stop);
      stop.throwIfAborted();
      tell('judging');
    },
  );
}

async function experiment(
  options: RunOptions,
  occurrences: readonly Occurrence[],
  environment: Environment,
  recorder: Recorder,
  stop: AbortSignal,
): Promise<void> {
  const { scenario, seed, rate, target, service } = options;
  const { name, hypothesis, keys, load: changes = [], timing, withoutStore } = scenario;
  const { warmupMs, durationMs } = timing;
  const schedule = occurrences.map(({ planned }) => planned);
  const given = {
    scenario: name,
    hypothesis,
    schedule,
    seed,
    rate,
    durationMs,
    keys,
    load: changes,
    target,
    service,
    withoutStore,
    clockDriftRatio: Math.max(0, ...occurrences.map(({ fault }) => fault.clockDriftRatio)),
    isWhole: true,
  };
  await using load = await underLoad(environment, recorder, given);
  const { zero, keySuffix } = load;

  let phase: Progress['phase'] = 'warm-up';
  const begin = (name: PhaseName) => {
    recorder.record({ type: 'phase', phase: name, atMs: Math.max(0, sinceZeroMs(zero)) });
    phase = name;
  };
  const asked = new Set(faulted(environment).map(({ name }) => name));
  let fresh: AnswerEvent[] = [];
  recorder.onEvent((event) => {
    if (event.type === 'answer' && asked.has(event.instance)) fresh.push(event);
  });
  using _progress = every(progressEveryMs, () => {
    const remainingMs = Math.max(0, durationMs - sinceZeroMs(zero));
    options.onProgress({ phase, remainingMs, answers: fresh, breakers: load.breakers });
    fresh = [];
  });

  using failover = new FailoverWatch(environment.redis, { zero, keySuffix }, (event) => recorder.record(event));
  await sleepUntil(zero, warmupMs, stop);
  begin('baseline');
  const phases = await together(occurrences, { environment, recorder, zero, failover }, begin, stop);
  await sleepUntil(zero, durationMs, stop);
  phases.over();
  recorder.record({ type: 'phase', phase: 'end', atMs: sinceZeroMs(zero) });
  await Promise.race([load.done, aborted(stop)]);
  await load.look();
}

/** Puts every fault on in its time. When one cannot be, all the others are healed as well before its reason is thrown. */
async function together(
  occurrences: readonly Occurrence[],
  parts: Pick<Stage, 'environment' | 'recorder' | 'zero' | 'failover'>,
  begin: (phase: PhaseName) => void,
  stop: AbortSignal,
): Promise<Phases> {
  const failed = new AbortController();
  const over = AbortSignal.any([stop, failed.signal]);
  const reached = (ms: number) => sleepUntil(parts.zero, ms, over);
  const phases = new Phases(begin, (ms) => reached(sinceZeroMs(parts.zero) + ms));
  const stage: Stage = { ...parts, phases, inPlace: new Map(), oneByOne: queue(), reached, stop: over };
  await Promise.allSettled(
    occurrences.map((occurrence) => putOn(occurrence, stage).catch((error) => failed.abort(error))),
  );
  over.throwIfAborted();
  return phases;
}

/** Rejects with the signal's reason when it is aborted meanwhile. */
async function sleepUntil(zero: Zero, ms: number, stop: AbortSignal): Promise<void> {
  const remainingMs = Math.max(0, zero.us / 1000 + ms - monotonicUs() / 1000);
  await delay(remainingMs, undefined, { signal: stop }).catch(() => stop.throwIfAborted());
}

const rejections = new WeakMap<AbortSignal, Promise<never>>();

/** Rejects with the signal's reason once it is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  const known = rejections.get(signal);
  if (known) return known;
  const rejection = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  rejection.catch(() => {});
  rejections.set(signal, rejection);
  return rejection;
}
