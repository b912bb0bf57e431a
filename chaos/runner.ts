// One experiment from beginning to end:
//
//   environment ─▶ load: warm-up, baseline ─▶ inject ─▶ onset, fault ─▶ heal ─▶ recovered ─▶ history ─▶ checks ─▶ verdict
//
// Whatever happens, the fault is healed and all that was started is ended before this returns or throws.

import { setTimeout as delay } from 'node:timers/promises';
import { boundsOf } from './bounds.ts';
import { type CheckResult, runChecks, type Verdict, worstOf } from './checks/check.ts';
import { checks } from './checks/index.ts';
import { monotonicUs } from './clock.ts';
import type { Driver, Environment, Instance } from './environment.ts';
import { FailoverWatch } from './failover-watch.ts';
import { type Fault, faulted } from './faults/fault.ts';
import { Generator } from './generator.ts';
import { type AnswerEvent, type BreakerEvent, type History, historyOf } from './history.ts';
import { LabMetrics } from './lab-metrics.ts';
import { breakerMoves, probeLinks, sinceZeroMs, type Zero, zeroIn } from './observer.ts';
import { Recorder } from './recorder.ts';
import { runEventOf } from './run-event.ts';
import { healMs, onsetMs, type PhaseName, type Scenario } from './scenario.ts';
import { StoreErrorWatch } from './store-errors.ts';
import { UndoLog } from './undo.ts';

export interface RunOptions {
  readonly scenario: Scenario;
  /** What the scenario's fault is in this run; undefined without one. */
  readonly fault: Fault | undefined;
  readonly driver: Driver;
  /** The program of a limiter instance, where the driver starts processes; this project's service by default. */
  readonly limiterMain?: string;
  readonly seed: number;
  /** Requests per second over the faulted instances. */
  readonly rate: number;
  /** Settings of the limiter instances. */
  readonly service: Readonly<Record<string, string>>;
  /** Directory in which the run's own is created. */
  readonly out: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** The verdict is known, and the environment, with its Prometheus, still stands. */
  readonly beforeEnd?: (environment: Environment, history: History) => Promise<void>;
}

export interface Progress {
  readonly phase: PhaseName | 'starting' | 'warm-up' | 'judging';
  readonly remainingMs: number;
  /** Answers of the faulted instances since the last report. */
  readonly answers: readonly AnswerEvent[];
  /** State of each instance's breaker, by name. */
  readonly breakers: ReadonlyMap<string, string>;
}

export interface RunResult {
  readonly directory: string;
  readonly history: History;
  readonly checks: readonly CheckResult[];
  readonly verdict: Verdict;
  readonly endedAt: string;
}

const keyHeader = 'x-key';
const probeEveryMs = 500;
const breakerEveryMs = 500;
const storeErrorsEveryMs = 2000;
const progressEveryMs = 1000;
/** How long a healed link may take to show it. */
const healedMsMax = 5000;

export async function runScenario(options: RunOptions): Promise<RunResult> {
  const { scenario, driver, seed, out, signal, onProgress } = options;
  signal.throwIfAborted();
  // Whatever makes the run pointless stops it here: Ctrl-C, a part that ended, a file that cannot be written.
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true });
  using recorder = new Recorder(out, scenario.name, seed, new Date(), (error) => stop.abort(error));
  onProgress({ phase: 'starting', remainingMs: 0, answers: [], breakers: new Map() });
  await using metrics = new LabMetrics(scenario.name);
  recorder.onEvent((event) => metrics.record(event));
  await using environment = await driver({
    topology: scenario.topology ?? 'single',
    service: { ...options.service, KEY_HEADER: keyHeader },
    limiterMain: options.limiterMain,
    logs: recorder.logs,
    labMetrics: metrics,
  });
  environment.broken.catch((error) => stop.abort(error));
  await experiment(options, environment, recorder, stop.signal);
  stop.signal.throwIfAborted();
  onProgress({ phase: 'judging', remainingMs: 0, answers: [], breakers: new Map() });
  const history = historyOf(recorder.events);
  const results = runChecks(checks, history);
  metrics.judged(results);
  await options.beforeEnd?.(environment, history);
  return {
    directory: recorder.directory,
    history,
    checks: results,
    verdict: worstOf(results.map(({ verdict }) => verdict)),
    endedAt: new Date().toISOString(),
  };
}

async function experiment(
  options: RunOptions,
  environment: Environment,
  recorder: Recorder,
  stop: AbortSignal,
): Promise<void> {
  stop.throwIfAborted();
  const { scenario, fault, seed, rate, service } = options;
  const { warmupMs, baselineMs, faultMs, recoveryMs } = scenario.timing;
  const durationMs = warmupMs + baselineMs + (fault ? faultMs + recoveryMs : 0);
  const control = environment.instances.find((instance) => instance.control);
  if (!control) throw new Error('the driver gave no control instance');

  const undo = new UndoLog();
  using _undo = { [Symbol.dispose]: () => undo.done() };
  let fresh: AnswerEvent[] = [];
  const plan = {
    seed,
    rate,
    durationMs,
    urgent: true,
    keys: scenario.keys,
    keyHeader,
    targets: faulted(environment).map(({ name, frontUrl }) => ({ instance: name, url: frontUrl })),
    control: { instance: control.name, url: control.frontUrl },
  };
  await using generator = await Generator.start(plan, undo, (answers) => {
    recorder.record(...answers);
    fresh.push(...answers.filter(({ instance }) => instance !== control.name));
  });

  const zero = zeroIn(200);
  const breakers = new BreakerWatch(environment, zero, recorder);
  const tells = await breakers.look();
  const storeErrors = new StoreErrorWatch(environment, zero);
  const recordStoreErrors = async () => recorder.record(...(await storeErrors.look()));
  const { name, hypothesis } = scenario;
  const given = { scenario: name, hypothesis, fault: scenario.fault ?? null, seed, rate, bounds: boundsOf(service) };
  recorder.record(runEventOf(environment, zero, tells, given));

  let phase: Progress['phase'] = 'warm-up';
  const begin = (name: PhaseName) => {
    recorder.record({ type: 'phase', phase: name, atMs: Math.max(0, sinceZeroMs(zero)) });
    phase = name;
  };
  const reached = (ms: number) => sleepUntil(zero, ms, stop);
  const load = generator.run(zero.us);
  load.catch(() => {}); // awaited at the end; a run that is stopped before has its own error
  using _breakers = every(breakerEveryMs, () => breakers.look());
  using _storeErrors = every(storeErrorsEveryMs, recordStoreErrors);
  using _progress = every(progressEveryMs, () => {
    const remainingMs = Math.max(0, durationMs - sinceZeroMs(zero));
    options.onProgress({ phase, remainingMs, answers: fresh, breakers: breakers.states });
    fresh = [];
  });

  using failover = new FailoverWatch(environment.redis, zero, (event) => recorder.record(event));

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
  await Promise.race([load, aborted(stop)]);
  await breakers.look();
  await recordStoreErrors();
}

/** Injects and heals, and records both. Disposing of it heals what is still injected. */
function faultLifetime(fault: Fault, environment: Environment, recorder: Recorder, zero: Zero) {
  let injected = false;
  const apply = async (action: 'inject' | 'heal') => {
    const applyTo = async (instance: Instance) => {
      const beginMs = sinceZeroMs(zero);
      await fault[action](environment, instance);
      const { name, losesState } = fault;
      const endMs = sinceZeroMs(zero);
      recorder.record({ type: 'fault', action, fault: name, target: instance.name, beginMs, endMs, losesState });
    };
    await Promise.all(faulted(environment).map(applyTo));
  };
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

/** Records every move of every breaker once. */
export class BreakerWatch {
  readonly #environment: Environment;
  readonly #zero: Zero;
  readonly #recorder: Recorder;
  readonly #recorded = new Map<string, number>();
  readonly #gone = new Set<string>();
  readonly states = new Map<string, string>();

  constructor(environment: Environment, zero: Zero, recorder: Recorder) {
    this.#environment = environment;
    this.#zero = zero;
    this.#recorder = recorder;
  }

  /** Returns the names of the instances that tell. */
  async look(): Promise<Set<string>> {
    const tells = new Set<string>();
    await Promise.all(
      this.#environment.instances.map(async (instance) => {
        const moves = await breakerMoves(instance, this.#zero);
        if (!moves) return;
        tells.add(instance.name);
        this.#record(instance.name, moves);
      }),
    );
    return tells;
  }

  #record(name: string, looked: readonly BreakerEvent[]): void {
    const moves = looked.filter(({ to }) => to !== 'gone');
    this.#recordGone(name, looked);
    const knownMs = this.#recorded.get(name) ?? Number.NEGATIVE_INFINITY;
    const unseen = moves.filter(({ atMs }) => atMs > knownMs);
    if (unseen.length > 0) this.#recorder.record(...unseen);
    const last = moves.at(-1);
    if (last && last.atMs < knownMs) return; // a look that took longer than the next one
    if (last) this.#recorded.set(name, last.atMs);
    this.states.set(name, looked.at(-1)?.to === 'gone' ? 'closed' : (last?.to ?? 'closed'));
  }

  /** Every look sees again that a breaker is gone. */
  #recordGone(name: string, looked: readonly BreakerEvent[]): void {
    for (const event of looked.filter(({ to }) => to === 'gone')) {
      const id = `${name} ${event.shard} ${looked.filter(({ shard }) => shard === event.shard).length}`;
      if (!this.#gone.has(id)) this.#recorder.record(event);
      this.#gone.add(id);
    }
  }
}

function every(ms: number, act: () => unknown): Disposable {
  const timer = setInterval(act, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
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
