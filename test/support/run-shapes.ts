// Sound runs of several shapes, each from a seed: what breaks, and what the lab would record of it.
//
//   0 ── baseline ── 3 s ── onset ── 4 s ── fault ── 6 s ── heal ── 8 s ── recovered ── 11.5 s

import { targetNamesOf } from '../../chaos/faults/fault.ts';
import { faultOf } from '../../chaos/faults/index.ts';
import type { FaultEvent, FaultFacts, History, HistoryEvent, ProbeEvent, Reportable } from '../../chaos/history.ts';
import { historyOf } from '../../chaos/history.ts';
import { controlName, type FaultSpec, type PhaseName, type Reach, sharedStoreName } from '../../chaos/scenario.ts';
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

interface Time {
  readonly injectMs: number;
  readonly healMs: number;
}

interface Shape {
  readonly fault: FaultSpec;
  readonly reach?: Reach;
  readonly link: LinkNow;
  /** When the fault is on; once when it says nothing. */
  readonly times?: readonly Time[];
  /** Another fault, which overlaps the first. */
  readonly other?: { readonly fault: FaultSpec; readonly reach?: Reach; readonly link: LinkNow; readonly time: Time };
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
  'latency of 100 ms, and then a partition of one link': {
    ...slow(100),
    other: { ...partition, reach: 'one-store-link', time: { injectMs: 5000, healMs: 7500 } },
  },
  'one link, and then slow links': {
    ...partition,
    reach: 'one-store-link',
    other: { ...slow(4), time: { injectMs: 4500, healMs: 7500 } },
  },
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
  /** When the run ends, where it is longer than usual. */
  readonly endMs?: number;
}

const made = new Map<string, History>();

/** What the lab would record. */
export function soundRun(name: ShapeName, seed: number, otherwise: Otherwise = {}): History {
  const id = JSON.stringify([name, seed, otherwise]);
  const history = made.get(id) ?? recordOf(name, seed, otherwise);
  made.set(id, history);
  return history;
}

/** A fault, once on. */
interface Occurrence extends Time {
  readonly facts: FaultFacts;
  readonly targets: readonly string[];
  readonly link: LinkNow;
}

function occurrencesOf({ times = [{ injectMs: at.injectMs, healMs: at.healMs }], other, ...one }: Shape): Occurrence[] {
  const occurrence = ({ fault, reach, link }: Pick<Shape, 'fault' | 'reach' | 'link'>, time: Time): Occurrence => {
    const facts = faultOf(fault).facts(usualBounds, reach);
    return { ...time, facts, targets: targetNamesOf(facts.reach, usualInstances), link };
  };
  return [...times.map((time) => occurrence(one, time)), ...(other ? [occurrence(other, other.time)] : [])];
}

const isHit = ({ targets }: Occurrence, instance: string) =>
  targets.includes(instance) || (targets[0] === sharedStoreName && instance !== controlName);
const isOn = ({ injectMs, healMs }: Time, ms: number) => ms >= injectMs && ms < healMs;
const slowness = (link: LinkNow) => (link.kind === 'up' ? link.rttMs : Number.POSITIVE_INFINITY);

function recordOf(name: ShapeName, seed: number, { hangs: more, endMs = at.endMs, ...otherwise }: Otherwise): History {
  const shape: Shape = shapes[name];
  const occurrences = occurrencesOf(shape);
  const isCluster = shape.topology === 'cluster';
  const isVictims = (key: string) => !isCluster || Number(key.slice(1)) % 3 === 0;
  const holderOf = (key: string) => (isVictims(key) ? victim : `a:${(Number(key.slice(1)) % 3) + 1}`);
  const hasFailover = shape.topology !== undefined;
  const run = simulate(
    {
      endMs,
      rateAt: (ms) =>
        ms >= at.injectMs && ms < at.onsetEndMs ? 700 : ms >= at.onsetEndMs && ms < at.recoveredMs ? 260 : 200,
      linkAt: (instance, shard, ms) => {
        if (more?.instances.includes(instance) && ms >= more.fromMs && ms < more.toMs) return hangs;
        if (hasFailover && shard !== victim) return up;
        const links = occurrences.flatMap((it) => (isOn(it, ms) && isHit(it, instance) ? [it.link] : []));
        return links.reduce((slowest, link) => (slowness(link) > slowness(slowest) ? link : slowest), up);
      },
      ...(hasFailover && {
        shardOf: (key: string, ms: number) => (ms >= failover.endMs && isVictims(key) ? successor : holderOf(key)),
      }),
      ...(occurrences[0]?.facts.state === 'lost' && { losesStateAtMs: at.injectMs }),
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
    phases: phasesOf(occurrences, endMs),
    fault: shape.fault,
    answers: run.answers,
    storeErrors: run.storeErrors,
    faults: occurrences.flatMap(faultEvents),
    probes: usualInstances.flatMap(({ name, control }) => probesOf(occurrences, name, control)),
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
      schedule: occurrences.map(({ facts, injectMs, healMs }) => ({
        ...facts,
        atMs: injectMs,
        forMs: healMs - injectMs,
      })),
    };
  }
}

/** Nobody looks through a link that two faults are on. */
function probesOf(occurrences: readonly Occurrence[], name: string, control: boolean): ProbeEvent[] {
  const its = occurrences.filter((it) => control || isHit(it, name));
  const isHidden = (it: Occurrence, ms: number) => its.some((other) => other !== it && isOn(other, ms));
  return [
    ...(its.length > 0 ? [probe(name, 10, 'healthy')] : []),
    ...its.flatMap((it) => {
      const seen = control ? 'healthy' : 'broken';
      const whileOn = [it.injectMs + 100, it.healMs - 100].filter((ms) => control || !isHidden(it, ms));
      const lastMs = Math.max(...its.filter((other) => isOn(other, it.healMs)).map(({ healMs }) => healMs), it.healMs);
      return [...new Set(whileOn)].map((ms) => probe(name, ms, seen)).concat(probe(name, lastMs + 10, 'healthy'));
    }),
  ];
}

function faultEvents({ facts, targets, injectMs, healMs }: Occurrence): FaultEvent[] {
  return targets.flatMap((target) => [
    fault('inject', injectMs, { ...facts, target, endMs: injectMs + 0.5 }),
    fault('heal', healMs, { ...facts, target, endMs: healMs + 0.5 }),
  ]);
}

function phasesOf(times: readonly Time[], endMs: number) {
  const phaseAt = (ms: number): PhaseName => {
    const begun = times.filter(({ injectMs }) => injectMs <= ms);
    if (begun.length === 0) return 'baseline';
    const sinceMs = (last: (time: Time) => number) => ms - Math.max(...begun.map(last));
    if (begun.some((time) => isOn(time, ms))) return sinceMs(({ injectMs }) => injectMs) < 1000 ? 'onset' : 'fault';
    return sinceMs(({ healMs }) => healMs) < 2000 ? 'heal' : 'recovered';
  };
  const changes = times.flatMap(({ injectMs, healMs }) => [injectMs, injectMs + 1000, healMs, healMs + 2000]);
  const starts = [...new Set([0, ...changes])]
    .filter((ms) => ms < endMs)
    .sort((a, b) => a - b)
    .filter((ms) => ms === 0 || phaseAt(ms) !== phaseAt(ms - 1) || times.some(({ injectMs }) => injectMs === ms));
  return starts.map((ms, i) => ({ name: phaseAt(ms), ms: (starts[i + 1] ?? endMs) - ms, rate: 0 }));
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
