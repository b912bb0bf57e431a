// One experiment from beginning to end:
//
//   environment ─▶ load: warm-up, baseline ─▶ inject ─▶ onset, fault ─▶ heal ─▶ recovered ─▶ history ─▶ checks ─▶ verdict
//
// Whatever happens, the fault is healed and all that was started is ended before this returns or throws.

import { setTimeout as delay } from 'node:timers/promises';
import { every, monotonicUs } from '../clock.ts';
import type { Environment } from '../environment.ts';
import { type Fault, faulted } from '../faults/fault.ts';
import type { AnswerEvent } from '../history.ts';
import { healMs, loadMsOf, onsetMs, type PhaseName, type Scenario } from '../scenario.ts';
import { FailoverWatch } from '../watch/failovers.ts';
import { probeLinks, sinceZeroMs, type Zero } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';
import { applyRecorded } from './recorded-fault.ts';
import { type RecordedRunOptions, type RunResult, recordedRun } from './recorded-run.ts';
import { underLoad } from './under-load.ts';

export interface RunOptions extends Omit<RecordedRunOptions, 'scenario' | 'topology'> {
  readonly scenario: Scenario;
  /** What the scenario's fault is in this run; undefined without one. */
  readonly fault: Fault | undefined;
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

const probeEveryMs = 500;
const progressEveryMs = 1000;
/** How long a healed link may take to show it. */
const healedMsMax = 5000;

export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { scenario, signal, onProgress } = options;
  signal.throwIfAborted();
  const tell = (phase: Progress['phase']) => onProgress({ phase, remainingMs: 0, answers: [], breakers: new Map() });
  const { name, topology = 'single' } = scenario;
  const driver: RunOptions['driver'] = (wanted) => {
    tell('starting');
    return options.driver(wanted);
  };
  return recordedRun({ ...options, scenario: name, topology, driver }, async (environment, recorder, broken) => {
    const stop = AbortSignal.any([signal, broken]);
    stop.throwIfAborted();
    await experiment(options, environment, recorder, stop);
    stop.throwIfAborted();
    tell('judging');
  });
}

async function experiment(
  options: RunOptions,
  environment: Environment,
  recorder: Recorder,
  stop: AbortSignal,
): Promise<void> {
  const { scenario, fault, seed, rate, service } = options;
  const { name, hypothesis, keys, timing } = scenario;
  const { warmupMs, baselineMs, faultMs } = timing;
  const durationMs = loadMsOf(timing, fault !== undefined);
  const given = { scenario: name, hypothesis, fault: scenario.fault ?? null, seed, rate, durationMs, keys, service };
  await using load = await underLoad(environment, recorder, given);
  const { zero, keySuffix } = load;

  let phase: Progress['phase'] = 'warm-up';
  const begin = (name: PhaseName) => {
    recorder.record({ type: 'phase', phase: name, atMs: Math.max(0, sinceZeroMs(zero)) });
    phase = name;
  };
  const reached = (ms: number) => sleepUntil(zero, ms, stop);
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

  await reached(warmupMs);
  begin('baseline');
  if (fault) {
    await using healing = faultLifetime(fault, environment, recorder, zero);
    recorder.record(...(await probeLinks(environment, fault, 'healthy', zero)));
    await reached(warmupMs + baselineMs);
    await failover.place();
    begin('onset');
    const injectedMs = sinceZeroMs(zero);
    await healing.inject();
    stop.throwIfAborted();
    const watching = failover.until(injectedMs + faultMs, stop);
    const probing = probeWhile(environment, fault, recorder, zero, injectedMs + faultMs - probeEveryMs, stop);
    await reached(injectedMs + onsetMs);
    begin('fault');
    await Promise.all([probing, watching]);
    await reached(injectedMs + faultMs);
    begin('heal');
    await healing.heal();
    const healedMs = sinceZeroMs(zero);
    await Promise.all([
      probeUntilHealthy(environment, fault, recorder, zero, stop),
      reached(healedMs + healMs).then(() => begin('recovered')),
    ]);
  }
  await reached(durationMs);
  recorder.record({ type: 'phase', phase: 'end', atMs: sinceZeroMs(zero) });
  await Promise.race([load.done, aborted(stop)]);
  await load.look();
}

/** Injects and heals, and records both. Disposing of it heals what is still injected. */
function faultLifetime(fault: Fault, environment: Environment, recorder: Recorder, zero: Zero) {
  let injected = false;
  const apply = (action: 'inject' | 'heal') =>
    Promise.all(
      faulted(environment).map((instance) => applyRecorded(action, fault, environment, instance, recorder, zero)),
    );
  const lifetime = {
    async inject() {
      injected = true;
      await apply('inject');
    },
    async heal() {
      await apply('heal');
      injected = false;
    },
    async [Symbol.asyncDispose]() {
      if (injected) await lifetime.heal();
    },
  };
  return lifetime;
}

/** Returns at `endMs`, or soon after the run is stopped. */
async function probeWhile(
  environment: Environment,
  fault: Fault,
  recorder: Recorder,
  zero: Zero,
  endMs: number,
  stop: AbortSignal,
) {
  // Not at once: the probes' own work would fall into the milliseconds in which the limiter meets the fault.
  await sleepUntil(zero, sinceZeroMs(zero) + probeEveryMs, stop).catch(() => {});
  while (sinceZeroMs(zero) < endMs && !stop.aborted) {
    const nextMs = sinceZeroMs(zero) + probeEveryMs;
    recorder.record(...(await probeLinks(environment, fault, 'broken', zero)));
    await sleepUntil(zero, Math.min(nextMs, endMs), stop).catch(() => {});
  }
}

async function probeUntilHealthy(
  environment: Environment,
  fault: Fault,
  recorder: Recorder,
  zero: Zero,
  stop: AbortSignal,
) {
  const endMs = sinceZeroMs(zero) + healedMsMax;
  for (;;) {
    const probes = await probeLinks(environment, fault, 'healthy', zero);
    recorder.record(...probes);
    if (probes.every(({ seen }) => seen === 'healthy') || sinceZeroMs(zero) >= endMs) return;
    await sleepUntil(zero, sinceZeroMs(zero) + 100, stop);
  }
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
