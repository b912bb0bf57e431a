// Makes a history from a few lines. Without any it is that of a partition which the limiter came through well:
//
//   0 ── baseline ── 1 s ── onset ── 2 s ──── fault ──── 5 s ── heal ── 7 s ── recovered ── 10 s
//          redis            fallback        fallback          redis            redis
//
// Each request asks for a key of its own, two instances take turns, and the control gets what the first one gets.

import { targetNamesOf } from '../../chaos/faults/fault.ts';
import { faultOf } from '../../chaos/faults/index.ts';
import {
  type AnswerEvent,
  type BreakerEvent,
  type FailoverEvent,
  type FaultEvent,
  type FaultFacts,
  type History,
  type HistoryEvent,
  historyOf,
  historyVersion,
  type InstanceInfo,
  type MemoryEvent,
  type PlacementEvent,
  type PlannedLoad,
  type ProbeEvent,
  type RunEvent,
  reportables,
  type StoreErrorsEvent,
  type StoreUseEvent,
} from '../../chaos/history.ts';
import type { Bounds, FaultSpec, PhaseName, WithoutStore } from '../../chaos/scenario.ts';
import { answer, fault, move, probe } from './history-events.ts';

/** A figure that is the same for all answers of a phase, or told from an answer's number in it. */
type Each<T> = T | ((i: number) => T);

export interface PhaseSpec {
  readonly name: PhaseName;
  readonly ms?: number;
  /** Requests per second over the faulted instances. */
  readonly rate?: number;
  readonly latencyMs?: Each<number>;
  readonly controlLatencyMs?: Each<number>;
  /** How late the generator was. */
  readonly lagMs?: Each<number>;
  readonly status?: Each<number>;
  readonly source?: Each<AnswerEvent['source']>;
  readonly controlSource?: AnswerEvent['source'];
  readonly key?: Each<string>;
}

export interface HistorySpec {
  /** Phases, or changes to the usual ones by name. */
  readonly phases?: readonly PhaseSpec[] | Partial<Record<PhaseName, Partial<PhaseSpec>>>;
  readonly fault?: FaultSpec | null;
  /** Answers beside those of the phases. */
  readonly answers?: readonly AnswerEvent[];
  /** In place of an injection at the start of `onset` and a heal at that of `heal`. Planned is the reach of the first. */
  readonly faults?: readonly FaultEvent[];
  /** In place of one look through each link in `baseline`, `fault` and `heal`, each as expected. */
  readonly probes?: readonly ProbeEvent[];
  /** In place of: opens 15 ms after the injection, probes each second, closes 5 ms after the heal. */
  readonly breaker?: readonly BreakerEvent[];
  readonly placement?: PlacementEvent | undefined;
  /** Whether a placement was planned. */
  readonly placed?: boolean;
  readonly failover?: FailoverEvent | undefined;
  /** None when absent, as in a file of an older lab. */
  readonly storeErrors?: readonly StoreErrorsEvent[];
  readonly memory?: readonly MemoryEvent[];
  readonly storeUse?: readonly StoreUseEvent[];
  readonly bounds?: Partial<Bounds>;
  readonly withoutStore?: WithoutStore;
  readonly instances?: readonly InstanceInfo[];
  readonly complete?: boolean;
}

export const usualBounds: Bounds = {
  capacity: 10,
  refillPerSecond: 2,
  fallbackCapacity: 5,
  fallbackRefillPerSecond: 1,
  redisTimeoutMs: 5,
  breakerFailures: 3,
  breakerResetMs: 1000,
  resetJitterRatio: 0.2,
  reconnectMs: 1000,
  p99Ms: 9,
};

export const usualInstances: readonly InstanceInfo[] = [
  { name: 'limiter-1', control: false, reportsBreaker: true },
  { name: 'limiter-2', control: false, reportsBreaker: true },
  { name: 'limiter-control', control: true, reportsBreaker: true },
];

const usualPhases: readonly Required<Pick<PhaseSpec, 'name' | 'ms' | 'source'>>[] = [
  { name: 'baseline', ms: 1000, source: 'shared' },
  { name: 'onset', ms: 1000, source: 'local' },
  { name: 'fault', ms: 3000, source: 'local' },
  { name: 'heal', ms: 2000, source: 'shared' },
  { name: 'recovered', ms: 3000, source: 'shared' },
];

/** A history without any phase, for checks that look at answers alone. */
export function historyWith(answers: readonly AnswerEvent[], spec: HistorySpec = {}): History {
  return buildHistory({ phases: [], faults: [], probes: [], breaker: [], ...spec, answers });
}

export function buildHistory(spec: HistorySpec = {}): History {
  return historyOf(eventsOf(spec));
}

export function eventsOf(spec: HistorySpec = {}): HistoryEvent[] {
  const { instances = usualInstances } = spec;
  const phases = phasesOf(spec.phases);
  const fault = spec.fault === undefined ? { kind: 'partition' } : spec.fault;
  const bounds = { ...usualBounds, ...spec.bounds };
  const facts = fault ? faultOf(fault).facts(bounds) : undefined;
  const run: RunEvent = {
    type: 'run',
    version: historyVersion,
    scenario: fault?.kind ?? 'baseline',
    hypothesis: 'All will be well.',
    gives: reportables,
    schedule: facts ? [{ ...facts, reach: spec.faults?.[0]?.reach ?? facts.reach, atMs: 1000, forMs: 4000 }] : [],
    seed: 42,
    driver: 'native',
    rate: 600,
    startedAt: '2026-11-24T04:00:00.000Z',
    bounds,
    ...(spec.withoutStore === undefined ? {} : { withoutStore: spec.withoutStore }),
    instances,
    environment: {
      node: 'v24.21.0',
      redis: '7.0.15',
      toxiproxy: '2.12.0',
      prometheus: '2.42.0',
      cpu: '2',
      kernel: 'L',
    },
  };
  const events: HistoryEvent[] = [run];
  const startMs: Partial<Record<PhaseName, number>> = {};
  let atMs = 0;
  for (const phase of phases) {
    startMs[phase.name] = atMs;
    events.push({ type: 'phase', phase: phase.name, atMs });
    events.push(...answersOf(phase, atMs, run));
    atMs += phase.ms ?? 1000;
  }
  if (spec.complete ?? true) events.push({ type: 'phase', phase: 'end', atMs });
  events.push(...(spec.answers ?? []));
  const [injectMs, healMs] = fault ? [startMs.onset, startMs.heal] : [];
  events.push(...(spec.faults ?? usualFaults(facts, injectMs, healMs, instances)));
  events.push(...(spec.probes ?? usualProbes(startMs, instances)));
  events.push(...[spec.placement, spec.failover].filter((it) => it !== undefined));
  events.push(...(spec.breaker ?? usualMoves(injectMs, healMs, instances)));
  events.push(...(spec.storeErrors ?? []), ...(spec.memory ?? []), ...(spec.storeUse ?? []));
  return [{ ...run, planned: plannedOf(events, atMs, spec.placed ?? false) }, ...events.slice(1)];
}

/** As if all that was recorded were all that was planned. */
function plannedOf(events: readonly HistoryEvent[], durationMs: number, placed: boolean): PlannedLoad {
  const requests: Record<string, number> = {};
  for (const event of events)
    if (event.type === 'answer') requests[event.instance] = (requests[event.instance] ?? 0) + 1;
  return { durationMs, requests, placed };
}

function phasesOf(spec: HistorySpec['phases'] = {}): readonly PhaseSpec[] {
  if (Array.isArray(spec)) return spec as readonly PhaseSpec[];
  const changes = spec as Partial<Record<PhaseName, Partial<PhaseSpec>>>;
  return usualPhases.map((phase) => ({ ...phase, ...changes[phase.name] }));
}

function answersOf(phase: PhaseSpec, startMs: number, { instances, bounds }: RunEvent): AnswerEvent[] {
  const { ms = 1000, rate = 600 } = phase;
  const [faulted, [control]] = [instances.filter((it) => !it.control), instances.filter((it) => it.control)];
  const answers: AnswerEvent[] = [];
  for (let i = 0; i < (ms / 1000) * rate; i++) {
    const scheduledMs = startMs + (i * 1000) / rate;
    const sentMs = scheduledMs + each(phase.lagMs ?? 0, i);
    const key = each(phase.key ?? `${phase.name}-${i}`, i);
    const status = each(phase.status ?? 200, i);
    const source = status === 0 ? null : each(phase.source ?? 'shared', i);
    // What is left of a key's bucket when it asks for the first time.
    const left = (source === 'local' ? bounds.fallbackCapacity : bounds.capacity) - 1;
    const remaining = source === 'none' ? null : status === 429 ? 0 : left;
    const refused = source === 'none' && status === 503 ? ({ outcome: 'denied' } as const) : {};
    const common = { key, scheduledMs, sentMs, status, remaining, ...refused } as const;
    const index = i % faulted.length;
    const { name: instance = '' } = faulted[index] ?? {};
    const receivedMs = scheduledMs + each(phase.latencyMs ?? 1, i);
    answers.push(answer(scheduledMs, { ...common, instance, source, receivedMs }));
    if (index !== 0 || !control) continue;
    const later = scheduledMs + each(phase.controlLatencyMs ?? 1, i);
    const same = { key, scheduledMs, sentMs, instance: control.name, receivedMs: later };
    answers.push(answer(scheduledMs, { ...same, source: phase.controlSource ?? 'shared' }));
  }
  return answers;
}

function each<T>(value: Each<T>, i: number): T {
  return typeof value === 'function' ? (value as (i: number) => T)(i) : value;
}

function usualFaults(
  facts: FaultFacts | undefined,
  injectMs: number | undefined,
  healMs: number | undefined,
  instances: readonly InstanceInfo[],
): FaultEvent[] {
  if (!facts) return [];
  return targetNamesOf(facts.reach, instances).flatMap((target) => [
    ...(injectMs === undefined ? [] : [fault('inject', injectMs, { ...facts, target })]),
    ...(healMs === undefined ? [] : [fault('heal', healMs, { ...facts, target })]),
  ]);
}

function usualProbes(startMs: Partial<Record<PhaseName, number>>, instances: readonly InstanceInfo[]): ProbeEvent[] {
  return instances.flatMap(({ name, control }) => [
    ...(startMs.baseline === undefined ? [] : [probe(name, startMs.baseline + 10, 'healthy')]),
    ...(startMs.fault === undefined ? [] : [probe(name, startMs.fault + 10, control ? 'healthy' : 'broken')]),
    ...(startMs.heal === undefined ? [] : [probe(name, startMs.heal + 10, 'healthy')]),
  ]);
}

function usualMoves(
  injectMs: number | undefined,
  healMs: number | undefined,
  instances: readonly InstanceInfo[],
): BreakerEvent[] {
  return instances
    .filter(({ control }) => !control)
    .flatMap(({ name }) => [
      ...(injectMs === undefined ? [] : [move(name, injectMs + 16, 'closed', 'open')]),
      ...(injectMs === undefined || healMs === undefined ? [] : probesBetween(name, injectMs + 1016, healMs)),
      ...(healMs === undefined ? [] : [move(name, healMs + 3, 'open', 'half-open')]),
      ...(healMs === undefined ? [] : [move(name, healMs + 5, 'half-open', 'closed')]),
    ]);
}

/** A probe each second, which fails. */
function probesBetween(name: string, fromMs: number, toMs: number): BreakerEvent[] {
  const count = Math.max(0, Math.floor((toMs - fromMs) / 1000));
  return Array.from({ length: count }, (_, i) => fromMs + i * 1000).flatMap((atMs) => [
    move(name, atMs, 'open', 'half-open'),
    move(name, atMs + 5, 'half-open', 'open'),
  ]);
}
