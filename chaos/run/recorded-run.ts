// What every run is, a scenario's as one by hand: parts are started, something happens to them, all of it is recorded, and
// the record is judged.
//
//   environment, recorder, lab metrics ─▶ act ─▶ history ─▶ checks ─▶ verdict

import { type CheckResult, runChecks, type Verdict, worstOf } from '../checks/check.ts';
import { checks } from '../checks/index.ts';
import type { Driver, Environment, EnvironmentOptions } from '../environment.ts';
import { type History, historyOf } from '../history.ts';
import { failopen } from '../targets/failopen.ts';
import { keyHeader, type Target } from '../targets/target.ts';
import { refuseUnhealed } from '../undo/unhealed.ts';
import { startWatchdog } from '../undo/watchdog.ts';
import { LabMetrics } from '../watch/lab-metrics.ts';
import { Recorder } from '../watch/recorder.ts';

export interface RecordedRunOptions
  extends Pick<EnvironmentOptions, 'topology' | 'limiterMain' | 'needs' | 'withoutStore'> {
  /** Name of the scenario. */
  readonly scenario: string;
  readonly seed: number;
  readonly driver: Driver;
  /** The limiter under test; this project's own when undefined. */
  readonly target?: Target | undefined;
  /** Settings of the limiter instances. */
  readonly service: Readonly<Record<string, string>>;
  /** Directory in which the run's own is created. */
  readonly out: string;
  /** The verdict is known, and the environment, with its Prometheus, still stands. */
  readonly beforeEnd?: ((environment: Environment, history: History) => Promise<void>) | undefined;
}

export interface RunResult {
  readonly directory: string;
  readonly history: History;
  readonly checks: readonly CheckResult[];
  readonly verdict: Verdict;
  readonly endedAt: string;
}

/**
 * `broken` is aborted by what makes the run pointless: a part that ended, a file that cannot be written. Throws its reason
 * then, and what `act` throws; all that was started is ended first. Throws before it starts anything when an earlier run has
 * left something behind, and in the end when this one has.
 */
export async function recordedRun(
  {
    scenario,
    seed,
    driver,
    topology,
    needs,
    target = failopen,
    limiterMain,
    service,
    withoutStore,
    out,
    beforeEnd,
  }: RecordedRunOptions,
  act: (environment: Environment, recorder: Recorder, broken: AbortSignal) => Promise<void>,
): Promise<RunResult> {
  await refuseUnhealed();
  using _watchdog = await startWatchdog();
  const broken = new AbortController();
  using recorder = new Recorder(out, scenario, seed, new Date(), (error) => broken.abort(error));
  await using metrics = new LabMetrics(scenario);
  recorder.onEvent((event) => metrics.record(event));
  await using environment = await driver({
    topology,
    service: { ...service, KEY_HEADER: keyHeader },
    withoutStore,
    target,
    limiterMain,
    needs,
    logs: recorder.logs,
    labMetrics: metrics,
  });
  environment.broken.catch((error) => broken.abort(error));
  await act(environment, recorder, broken.signal);
  broken.signal.throwIfAborted();
  const history = historyOf(recorder.events);
  const results = runChecks(checks, history);
  metrics.judged(results);
  await beforeEnd?.(environment, history);
  return {
    directory: recorder.directory,
    history,
    checks: results,
    verdict: worstOf(results.map(({ verdict }) => verdict)),
    endedAt: new Date().toISOString(),
  };
}
