// The load on an environment, and what is recorded of both while it lasts: of a scenario as of a session by hand.
//
//   generator ── answers ──────────────────────┐
//   each instance's own word ── breaker moves ─┼─▶ recorder
//   Prometheus ── failed calls to Redis ───────┤
//   the system ── memory ──────────────────────┘

import { boundsFor } from '../bounds.ts';
import { every } from '../clock.ts';
import type { Environment, Instance } from '../environment.ts';
import { LabError } from '../errors.ts';
import { faulted } from '../faults/fault.ts';
import { historyVersion, type RunEvent } from '../history.ts';
import { afterPath } from '../host/real-time.ts';
import { UndoLog } from '../host/undo-log.ts';
import { Generator } from '../load/generator.ts';
import { freshKeySuffix, type LoadPlan, requestsOf } from '../load/load.ts';
import type { WithoutStore } from '../scenario.ts';
import { failopen } from '../targets/failopen.ts';
import { givenBy } from '../targets/first-look.ts';
import type { Target } from '../targets/target.ts';
import { BreakerWatch } from '../watch/breakers.ts';
import { MemoryWatch } from '../watch/memory.ts';
import { type Zero, zeroIn } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';
import { StoreErrorWatch } from '../watch/store-errors.ts';
import { controlUse, SharedUse } from '../watch/store-use.ts';

const breakersEveryMs = 500;
const memoryEveryMs = 500;
const storeUseEveryMs = 200;
/** How often the instances are asked how many of their calls failed. */
export const storeErrorsEveryMs = 2000;

export interface LoadOptions
  extends Pick<RunEvent, 'scenario' | 'hypothesis' | 'schedule'>,
    Pick<LoadPlan, 'seed' | 'rate' | 'durationMs' | 'keys' | 'load'> {
  /** The limiter under test; this project's own when undefined. */
  readonly target?: Target | undefined;
  /** Settings of the limiter instances. */
  readonly service: Readonly<Record<string, string>>;
  /** What the limiter is told to answer without its store. */
  readonly withoutStore?: WithoutStore | undefined;
  /** By so much more than usual clocks drift, because a fault makes them. */
  readonly clockDriftRatio?: number;
  /** The load ends when it is planned to, and not when somebody says so. */
  readonly isWhole: boolean;
}

export interface UnderLoad extends AsyncDisposable {
  readonly zero: Zero;
  /** Ends the names of the run's keys. */
  readonly keySuffix: string;
  /** Resolves when every request is answered or given up. */
  readonly done: Promise<void>;
  /** State of each instance's breaker, by name. */
  readonly breakers: ReadonlyMap<string, string>;
  /** Records what has come since the last look, as also happens by itself from time to time. */
  look(): Promise<void>;
}

/** Begins the history and the load. Disposing of it ends the load. */
export async function underLoad(
  environment: Environment,
  recorder: Recorder,
  {
    scenario,
    hypothesis,
    schedule,
    seed,
    rate,
    durationMs,
    keys,
    load = [],
    target = failopen,
    service,
    withoutStore,
    clockDriftRatio = 0,
    isWhole,
  }: LoadOptions,
): Promise<UnderLoad> {
  const { instances, driver, versions } = environment;
  await using started = new AsyncDisposableStack();
  const undo = new UndoLog();
  started.defer(() => undo.done());
  const keySuffix = freshKeySuffix();
  const plan = { seed, rate, durationMs, keys, load, keySuffix, target, ...armsOf(environment) };
  const requests = requestsOf(
    plan,
    plan.targets.map(({ instance }) => instance),
    plan.control.instance,
  );
  const planned = isWhole
    ? { planned: { durationMs, requests, placed: environment.redis.failover?.keys !== undefined } }
    : {};
  const gives = await givenBy(target, controlOf(environment).url);
  const generator = started.use(await Generator.start(plan, undo, (answers) => recorder.record(...answers)));

  started.use(await afterPath());

  const zero = zeroIn(200);
  const breakers = new BreakerWatch(environment, target, zero, recorder);
  const storeErrors = new StoreErrorWatch(environment, zero);
  const lookForErrors = async () => recorder.record(...(await storeErrors.look()));
  const tells = await breakers.look();
  recorder.record({
    type: 'run',
    version: historyVersion,
    ...{ scenario, hypothesis, schedule, seed, rate, driver, keySuffix, target: target.name, gives, ...planned },
    startedAt: new Date(zero.epochMs).toISOString(),
    bounds: { ...boundsFor(target, service), ...(clockDriftRatio > 0 ? { clockDriftRatio } : {}) },
    ...(withoutStore === undefined ? {} : { withoutStore }),
    instances: instances.map(({ name, control }) => ({ name, control, reportsBreaker: tells.has(name) })),
    environment: versions,
  });
  const done = generator.run(zero.us);
  done.catch(() => {}); // seen by whoever awaits it; a run that is stopped before has its own error
  started.use(every(breakersEveryMs, () => breakers.look()));
  started.use(every(storeErrorsEveryMs, lookForErrors));
  const memory = new MemoryWatch(environment, zero);
  started.use(every(memoryEveryMs, () => recorder.record(...memory.look())));
  if (!gives.includes('source')) {
    const sharedUse = new SharedUse(environment); // who decided shows in nothing else
    started.use(every(storeUseEveryMs, async () => recorder.record(...(await sharedUse.look(zero)))));
  }
  const running = started.move();
  return {
    zero,
    keySuffix,
    done,
    breakers: breakers.states,
    async look() {
      await breakers.look();
      await lookForErrors();
      recorder.record(...(await controlUse(environment, zero)));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function armsOf(environment: Environment): Pick<LoadPlan, 'targets'> & Required<Pick<LoadPlan, 'control'>> {
  const target = ({ name, frontUrl }: Instance) => ({ instance: name, url: frontUrl });
  return { targets: faulted(environment).map(target), control: target(controlOf(environment)) };
}

function controlOf({ instances }: Environment): Instance {
  const control = instances.find((instance) => instance.control);
  if (!control) throw new LabError('the driver gave no control instance');
  return control;
}
