// A session by hand, in a process of its own: an environment under load, whose faults are switched by messages.
//
//   console ── switch ──▶ session ── inject, heal ──▶ environment
//           ◀─ rows ────           ── events ───────▶ events.ndjson
//
// It ends by SIGINT, when the console is gone, or when its time is over; in any case every fault is healed, all that was
// started is ended, and a report is left of what holds whatever is broken.

import { setTimeout as delay } from 'node:timers/promises';
import '../command.ts';
import { boundsOf, serviceEnvironment } from '../bounds.ts';
import { chooseDriver } from '../drivers/choose.ts';
import type { Environment } from '../environment.ts';
import { endWith, explained } from '../errors.ts';
import { type Target, targetsOf } from '../faults/fault.ts';
import { faultOf } from '../faults/index.ts';
import { leave } from '../report/leave.ts';
import { applyRecorded } from '../run/recorded-fault.ts';
import { recordedRun } from '../run/recorded-run.ts';
import { underLoad } from '../run/under-load.ts';
import type { Bounds, FaultSpec, Reach, Scenario } from '../scenario.ts';
import { sinceZeroMs, type Zero } from '../watch/observer.ts';
import type { Recorder } from '../watch/recorder.ts';
import type { FaultKind, Switch } from './messages.ts';
import type { RunRequest, SwitchRequest } from './requests.ts';
import { type Row, Switchboard } from './switchboard.ts';

export interface ManualPlan extends RunRequest {
  readonly out: string;
  readonly durationMs: number;
  readonly keys: Scenario['keys'];
  readonly service: Scenario['service'];
}
export type ToSession = { readonly plan: ManualPlan } | { readonly switch: SwitchRequest };
export type FromSession = { readonly switches: readonly Switch[] };

const hypothesis = 'Whatever is switched on by hand, every request is decided in time and inside the bounds.';
const linkFaults: readonly FaultSpec[] = [
  { kind: 'partition' },
  { kind: 'stall' },
  { kind: 'latency', latencyMs: 100, jitterMs: 20 },
];
const redisFaults: readonly FaultSpec[] = [{ kind: 'redis-kill' }];

const stop = new AbortController();
const planned = Promise.withResolvers<ManualPlan>();
let board: Switchboard | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
process.on('disconnect', () => stop.abort());
process.on('message', (message: ToSession) => {
  if ('plan' in message) planned.resolve(message.plan);
  else board?.set(message.switch.link, message.switch.fault, message.switch.seconds * 1000);
});

async function session(plan: ManualPlan): Promise<void> {
  const { driver, why } = await chooseDriver(plan.driver);
  process.stderr.write(`driver: ${driver.name} (${why})\n`);
  const options = {
    ...plan,
    driver: driver.start,
    topology: 'single' as const,
    service: serviceEnvironment(plan.service, process.env),
  };
  const result = await recordedRun(options, async (environment, recorder, broken) => {
    const end = AbortSignal.any([stop.signal, broken]);
    if (!end.aborted) await switchUnderLoad({ ...plan, service: options.service }, environment, recorder, end);
  });
  leave(result.directory, { ...result, gaps: [], described: true });
}

async function switchUnderLoad(
  plan: ManualPlan,
  environment: Environment,
  recorder: Recorder,
  end: AbortSignal,
): Promise<void> {
  await using load = await underLoad(environment, recorder, { ...plan, hypothesis, schedule: [], isWhole: false });
  const { zero } = load;
  recorder.record({ type: 'phase', phase: 'baseline', atMs: 0 });
  const opened = new Switchboard(
    rowsOf(environment, recorder, zero, boundsOf(plan.service)),
    publishSwitches,
    (error) => {
      process.stderr.write(`${explained(error)}\n`);
    },
  );
  board = opened;
  publishSwitches();
  try {
    await Promise.race([load.done, delay(plan.durationMs, undefined, { signal: end }).catch(() => {})]);
  } finally {
    await opened.close();
    await load.look();
    recorder.record({ type: 'phase', phase: 'end', atMs: sinceZeroMs(zero) });
  }
}

/** A row for each store link, and one for Redis, which all of them share. */
function rowsOf(environment: Environment, recorder: Recorder, zero: Zero, bounds: Bounds): Row[] {
  let isBeyondBaseline = false;
  const row = (target: Target, reach: Reach, specs: readonly FaultSpec[]): Row => {
    const link = target.name;
    const apply = (action: 'inject' | 'heal') => async (kind: FaultKind) => {
      const spec = specs.find((each) => each.kind === kind);
      if (!spec) return;
      if (!isBeyondBaseline) recorder.record({ type: 'phase', phase: 'fault', atMs: sinceZeroMs(zero) });
      isBeyondBaseline = true;
      const fault = faultOf(spec);
      await applyRecorded(action, fault, fault.facts(bounds, reach), environment, target, recorder, zero);
    };
    return { link, faults: specs.map(({ kind }) => kind), inject: apply('inject'), heal: apply('heal') };
  };
  const links = targetsOf('store-links', environment);
  const shared = targetsOf('shared-store', environment);
  return [
    ...links.map((target) => row(target, 'one-store-link', linkFaults)),
    ...shared.map((target) => row(target, 'shared-store', redisFaults)),
  ];
}

function publishSwitches(): void {
  const message: FromSession = { switches: board?.switches ?? [] };
  if (process.connected) process.send?.(message, undefined, undefined, () => {}); // a console that has gone ends it anyhow
}

try {
  await session(await planned.promise);
} catch (error) {
  endWith(error);
}
if (process.connected) process.disconnect();
