// A session by hand, in a process of its own: an environment under load, whose faults are switched by messages.
//
//   console ── switch ──▶ session ── inject, heal ──▶ environment
//           ◀─ rows ────           ── events ───────▶ events.ndjson
//
// It ends by SIGINT, when the console is gone, or when its time is over; in any case every fault is healed, all that was
// started is ended, and a report is left of what holds whatever is broken.

import { setTimeout as delay } from 'node:timers/promises';
import { boundsOf, serviceEnvironment } from '../bounds.ts';
import { runChecks } from '../checks/check.ts';
import { checks } from '../checks/index.ts';
import { chooseDriver } from '../drivers/choose.ts';
import type { Environment, Instance } from '../environment.ts';
import { exitStatus, LabError, UsageError } from '../errors.ts';
import { faulted } from '../faults/fault.ts';
import { faultOf } from '../faults/index.ts';
import { Generator } from '../generator.ts';
import { historyOf } from '../history.ts';
import { LabMetrics } from '../lab-metrics.ts';
import { sinceZeroMs, type Zero, zeroIn } from '../observer.ts';
import { Recorder } from '../recorder.ts';
import { leave } from '../report/leave.ts';
import { runEventOf } from '../run-event.ts';
import { BreakerWatch } from '../runner.ts';
import type { FaultSpec, Scenario } from '../scenario.ts';
import { UndoLog } from '../undo.ts';
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

const keyHeader = 'x-key';
const lookEveryMs = 500;
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
  const broken = new AbortController();
  using recorder = new Recorder(plan.out, plan.scenario, plan.seed, new Date(), (error) => broken.abort(error));
  const service = serviceEnvironment(plan.service, process.env);
  await using metrics = new LabMetrics(plan.scenario);
  recorder.onEvent((event) => metrics.record(event));
  await using environment = await driver.start({
    topology: 'single',
    service: { ...service, KEY_HEADER: keyHeader },
    logs: recorder.logs,
    labMetrics: metrics,
  });
  environment.broken.catch((error) => broken.abort(error));
  await underLoad(plan, environment, recorder, service, AbortSignal.any([stop.signal, broken.signal]));
  broken.signal.throwIfAborted();
  const history = historyOf(recorder.events);
  const results = runChecks(checks, history);
  leave(recorder.directory, {
    history,
    checks: results,
    endedAt: new Date().toISOString(),
    gaps: [],
    described: true,
  });
}

async function underLoad(
  plan: ManualPlan,
  environment: Environment,
  recorder: Recorder,
  service: Record<string, string>,
  end: AbortSignal,
): Promise<void> {
  if (end.aborted) return;
  const { scenario, seed, rate, durationMs, keys } = plan;
  const control = environment.instances.find((instance) => instance.control);
  if (!control) throw new LabError('the driver gave no control instance');
  const undo = new UndoLog();
  using _undo = { [Symbol.dispose]: () => undo.done() };
  const targets = faulted(environment).map(({ name, frontUrl }) => ({ instance: name, url: frontUrl }));
  const load = { seed, rate, durationMs, urgent: true, keys, keyHeader, targets };
  await using generator = await Generator.start(
    { ...load, control: { instance: control.name, url: control.frontUrl } },
    undo,
    (answers) => recorder.record(...answers),
  );
  const zero = zeroIn(200);
  const breakers = new BreakerWatch(environment, zero, recorder);
  const tells = await breakers.look();
  const given = { scenario, hypothesis, fault: null, seed, rate, bounds: boundsOf(service) };
  recorder.record(runEventOf(environment, zero, tells, given));
  const running = generator.run(zero.us);
  running.catch(() => {}); // whatever ends it, the session ends
  recorder.record({ type: 'phase', phase: 'baseline', atMs: 0 });
  const looking = setInterval(() => breakers.look(), lookEveryMs);
  const opened = new Switchboard(rowsOf(environment, recorder, zero), tell, (error) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  });
  board = opened;
  tell();
  try {
    await Promise.race([running, delay(durationMs, undefined, { signal: end }).catch(() => {})]);
  } finally {
    await opened.healAll();
    clearInterval(looking);
    await breakers.look();
    recorder.record({ type: 'phase', phase: 'end', atMs: sinceZeroMs(zero) });
  }
}

/** A row for each store link, and one for Redis, which all of them share. */
function rowsOf(environment: Environment, recorder: Recorder, zero: Zero): Row[] {
  let isBeyondBaseline = false;
  const row = (link: string, instance: Instance, specs: readonly FaultSpec[]): Row => {
    const apply = (action: 'inject' | 'heal') => async (kind: FaultKind) => {
      const spec = specs.find((each) => each.kind === kind);
      if (!spec) return;
      const fault = faultOf(spec);
      const beginMs = sinceZeroMs(zero);
      if (!isBeyondBaseline) recorder.record({ type: 'phase', phase: 'fault', atMs: beginMs });
      isBeyondBaseline = true;
      await fault[action](environment, instance);
      const { name, losesState } = fault;
      recorder.record({
        type: 'fault',
        action,
        fault: name,
        target: link,
        beginMs,
        endMs: sinceZeroMs(zero),
        losesState,
      });
    };
    return { link, faults: specs.map(({ kind }) => kind), inject: apply('inject'), heal: apply('heal') };
  };
  const links = faulted(environment);
  const shared = links.slice(0, 1).map((instance) => row('redis', instance, redisFaults));
  return [...links.map((instance) => row(instance.name, instance, linkFaults)), ...shared];
}

function tell(): void {
  if (process.connected) process.send?.({ switches: board?.switches ?? [] } satisfies FromSession);
}

try {
  await session(await planned.promise);
} catch (error) {
  const expected = error instanceof UsageError || error instanceof LabError;
  process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
  process.exitCode = error instanceof UsageError ? exitStatus.usage : exitStatus.broken;
}
if (process.connected) process.disconnect();
