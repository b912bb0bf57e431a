// Sound runs of several shapes, each from a seed: what breaks, and what the lab would record of it.
//
//   0 ── baseline ── 3 s ── onset ── 4 s ── fault ── 6 s ── heal ── 8 s ── recovered ── 11.5 s

import { targetNamesOf } from '../../chaos/faults/fault.ts';
import { faultOf } from '../../chaos/faults/index.ts';
import type { FaultEvent, FaultFacts, History, HistoryEvent, Reportable } from '../../chaos/history.ts';
import { historyOf } from '../../chaos/history.ts';
import type { FaultSpec, PhaseName, Reach } from '../../chaos/scenario.ts';
import { eventsOf, type HistorySpec, usualBounds, usualInstances } from './history-builder.ts';
import { fault, move, probe } from './history-events.ts';
import { type LinkNow, type RunShape, simulate } from './simulated-run.ts';

export const at = { injectMs: 3000, onsetEndMs: 4000, healMs: 6000, recoveredMs: 8000, endMs: 11_500 } as const;

const up: LinkNow = { kind: 'up', rttMs: 1 };
const hangs: LinkNow = { kind: 'hangs' };
const refuses: LinkNow = { kind: 'refuses' };
const failover = { beginMs: 5000, endMs: 5050 } as const;
const victim = 'a:1';
const successor = 'b:2';

interface Shape {
  readonly fault: FaultSpec;
  readonly reach?: Reach;
  readonly link: LinkNow;
  /** When the fault is on; once when it says nothing. */
  readonly times?: readonly { readonly injectMs: number; readonly healMs: number }[];
  readonly topology?: 'cluster' | 'sentinel';
  /** What the target tells; all when it says nothing. */
  readonly gives?: readonly Reportable[];
}

const partition: Shape = { fault: { kind: 'partition' }, link: hangs };
const flaps = [3000, 4500, 6000].map((injectMs) => ({ injectMs, healMs: injectMs + 500 }));
const slow = (ms: number): Shape => ({
  fault: { kind: 'latency', latencyMs: ms, jitterMs: 0 },
  link: { kind: 'up', rttMs: 1 + 2 * ms },
});

export const shapes = {
  partition,
  stall: { fault: { kind: 'stall' }, link: hangs },
  'redis-kill': { fault: { kind: 'redis-kill' }, link: refuses },
  'latency of 1 ms': slow(1),
  'latency of 4 ms': slow(4),
  'latency of 100 ms': slow(100),
  'one link': { ...partition, reach: 'one-store-link' },
  flapping: { fault: { kind: 'down' }, link: refuses, times: flaps },
  'cluster-master-kill': { fault: { kind: 'master-kill' }, link: hangs, topology: 'cluster' },
  'sentinel-failover': { fault: { kind: 'master-kill' }, link: hangs, topology: 'sentinel' },
  'partition without breaker': { ...partition, gives: ['source', 'remaining'] },
  'partition without remaining': { ...partition, gives: ['source', 'breaker'] },
  'partition of a target that tells nothing': { ...partition, gives: [] },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as ShapeName[];

/** What is otherwise than usual, and not told by the record. */
export interface Otherwise extends Pick<RunShape, 'limits' | 'stalls'> {
  /** One instance's calls hang meanwhile. */
  readonly hangs?: { readonly instances: readonly string[]; readonly fromMs: number; readonly toMs: number };
}

const made = new Map<string, History>();

/** What the lab would record. */
export function soundRun(name: ShapeName, seed: number, otherwise: Otherwise = {}): History {
  const id = JSON.stringify([name, seed, otherwise]);
  const history = made.get(id) ?? recordOf(name, seed, otherwise);
  made.set(id, history);
  return history;
}

function recordOf(name: ShapeName, seed: number, { hangs: more, ...otherwise }: Otherwise): History {
  const shape: Shape = shapes[name];
  const facts = faultOf(shape.fault).facts(usualBounds, shape.reach);
  const times = shape.times ?? [{ injectMs: at.injectMs, healMs: at.healMs }];
  const targets = targetNamesOf(facts.reach, usualInstances);
  const isOn = (ms: number) => times.some(({ injectMs, healMs }) => ms >= injectMs && ms < healMs);
  const isHit = (instance: string) =>
    targets.includes(instance) || (targets[0] === 'redis' && instance !== 'limiter-control');
  const isCluster = shape.topology === 'cluster';
  const isVictims = (key: string) => !isCluster || Number(key.slice(1)) % 3 === 0;
  const holderOf = (key: string) => (isVictims(key) ? victim : `a:${(Number(key.slice(1)) % 3) + 1}`);
  const hasFailover = shape.topology !== undefined;
  const run = simulate(
    {
      endMs: at.endMs,
      rateAt: (ms) =>
        ms >= at.injectMs && ms < at.onsetEndMs ? 700 : ms >= at.onsetEndMs && ms < at.recoveredMs ? 260 : 200,
      linkAt: (instance, shard, ms) => {
        if (more?.instances.includes(instance) && ms >= more.fromMs && ms < more.toMs) return hangs;
        if (!isHit(instance) || (hasFailover && shard !== victim)) return up;
        return isOn(ms) ? shape.link : up;
      },
      ...(hasFailover && {
        shardOf: (key: string, ms: number) => (ms >= failover.endMs && isVictims(key) ? successor : holderOf(key)),
      }),
      ...(facts.state === 'lost' && { losesStateAtMs: at.injectMs }),
      ...otherwise,
    },
    seed,
  );
  const isGone = ({ shard, atMs }: { shard?: string; atMs: number }) => shard === victim && atMs >= failover.endMs;
  const told = run.breaker.filter((it) => !isGone(it));
  const gone = ['limiter-1', 'limiter-2'].flatMap((name) => {
    const last = told.findLast(({ instance, shard }) => instance === name && shard === victim);
    return hasFailover && last ? [move(name, failover.endMs + 200, last.to, 'gone', victim)] : [];
  });
  const keys = Map.groupBy(new Set(run.answers.map(({ key }) => key)), holderOf);
  const spec: HistorySpec = {
    phases: phasesOf(times),
    fault: shape.fault,
    answers: run.answers,
    storeErrors: run.storeErrors,
    faults: times.flatMap((time) => faultEvents(facts, targets, time)),
    probes: usualInstances.flatMap(({ name, control }) => {
      const isBroken = isHit(name);
      return [
        probe(name, 10, 'healthy'),
        ...times.flatMap(({ injectMs, healMs }) => [
          probe(name, injectMs + 100, isBroken ? 'broken' : 'healthy'),
          probe(name, healMs + 10, 'healthy'),
        ]),
      ].filter(() => control || isBroken);
    }),
    breaker: [...told, ...gone],
    ...(hasFailover && { failover: { type: 'failover', ...failover, from: victim, to: successor } }),
    ...(isCluster && {
      placed: true,
      placement: { type: 'placement', atMs: 2000, victim, keys: Object.fromEntries(keys) },
    }),
  };
  return toldBy(shape.gives, historyOf(eventsOf(spec).map((event) => (event.type === 'run' ? planned(event) : event))));

  function planned(run: HistoryEvent & { type: 'run' }): HistoryEvent {
    return {
      ...run,
      schedule: times.map(({ injectMs, healMs }) => ({ ...facts, atMs: injectMs, forMs: healMs - injectMs })),
    };
  }
}

function faultEvents(
  facts: FaultFacts,
  targets: readonly string[],
  time: { injectMs: number; healMs: number },
): FaultEvent[] {
  return targets.flatMap((target) => [
    fault('inject', time.injectMs, { ...facts, target, endMs: time.injectMs + 0.5 }),
    fault('heal', time.healMs, { ...facts, target, endMs: time.healMs + 0.5 }),
  ]);
}

function phasesOf(times: readonly { injectMs: number; healMs: number }[]) {
  const starts = new Map<number, PhaseName>([[0, 'baseline']]);
  times.forEach(({ injectMs, healMs }, i) => {
    const nextMs = times[i + 1]?.injectMs ?? at.endMs;
    starts.set(injectMs, 'onset');
    if (injectMs + 1000 < healMs) starts.set(injectMs + 1000, 'fault');
    starts.set(healMs, 'heal');
    if (healMs + 2000 < nextMs) starts.set(healMs + 2000, 'recovered');
  });
  const inOrder = [...starts].sort(([a], [b]) => a - b);
  return inOrder.map(([ms, name], i) => ({ name, ms: (inOrder[i + 1]?.[0] ?? at.endMs) - ms, rate: 0 }));
}

/** As if the target told no more than this. */
function toldBy(gives: readonly Reportable[] | undefined, history: History): History {
  if (!gives) return history;
  const tells = (it: Reportable) => gives.includes(it);
  return {
    ...history,
    run: {
      ...history.run,
      gives,
      instances: history.run.instances.map((it) => ({ ...it, reportsBreaker: tells('breaker') })),
    },
    answers: history.answers.map((it) => ({
      ...it,
      source: tells('source') ? it.source : null,
      remaining: tells('remaining') ? it.remaining : null,
    })),
    breaker: tells('breaker') ? history.breaker : [],
    storeErrors: tells('breaker') ? history.storeErrors : [],
  };
}
