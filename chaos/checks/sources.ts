// Sorts the answers by the bucket that decided them, so that each bucket's promise can be checked by itself.
//
// A source is one key's bucket in one place: in Redis (until Redis loses its data, which begins a new one), in the
// control's Redis, or in one instance's fallback.

import { type AnswerEvent, type History, isAllowed, isControl, isDenied, type SourceKind } from '../history.ts';
import { clockMsMax } from './calm.ts';
import { masterOf, reachOf } from './outage.ts';

export interface Source {
  /** `the store`, `the store after state loss 1`, `the control's store`, `fallback of limiter-1`. */
  readonly name: string;
  readonly key: string;
  readonly isFallback: boolean;
  readonly capacity: number;
  readonly refillPerSecond: number;
  readonly admits: AnswerEvent[];
  readonly rejects: AnswerEvent[];
  /** Takes that this bucket may have decided: without being heard; or Redis, just before or after it lost its data. */
  readonly uncertain: AnswerEvent[];
  /** Of a fallback: what its instance was told by Redis, from which a bucket may start. */
  readonly told: AnswerEvent[];
  /** Of a bucket in Redis: the one that was lost before it. */
  readonly former: Source | undefined;
  /** Perhaps it is the former one that goes on, or what a replica knew of that. */
  readonly mayContinue: boolean;
}

/** How far the client's clock and a bucket's clock may drift apart: NTP slews by 500 ppm at most. */
export const driftRatio = 500e-6;

const known = new WeakMap<History, Source[]>();

/** Sorted once for all the checks that ask. */
export function sourcesOf(history: History): readonly Source[] {
  const sources = known.get(history) ?? sorted(history);
  known.set(history, sources);
  return sources;
}

function sorted(history: History): Source[] {
  const { bounds } = history.run;
  const losses = stateLosses(history);
  const sources = new Map<string, Source>();

  const source = (name: string, key: string, kind: SourceKind, former?: Source, mayContinue = false): Source => {
    const id = `${name}\n${key}`;
    const existing = sources.get(id);
    if (existing) return existing;
    const capacity = kind === 'shared' ? bounds.capacity : bounds.fallbackCapacity;
    const refillPerSecond = kind === 'shared' ? bounds.refillPerSecond : bounds.fallbackRefillPerSecond;
    const lists = { admits: [], rejects: [], uncertain: [], told: [] };
    const isFallback = kind === 'local';
    const created: Source = { name, key, isFallback, capacity, refillPerSecond, ...lists, former, mayContinue };
    sources.set(id, created);
    return created;
  };
  /** Redis's bucket that decided it, if Redis did; several when nobody can tell whether that was before a loss or after. */
  const sharedSources = (answer: AnswerEvent): Source[] => {
    if (isControl(history, answer.instance)) return [source("the control's store", answer.key, 'shared')];
    const its = losses.filter(({ hits }) => hits(answer.key));
    const surely = its.filter(({ endMs }) => endMs < answer.sentMs).length;
    const possibly = its.filter(({ beginMs }) => beginMs < answer.receivedMs).length;
    return Array.from({ length: 1 + possibly - surely }, (_, i) => afterLosses(its, surely + i, answer.key));
  };
  const afterLosses = (its: readonly StateLoss[], count: number, key: string): Source => {
    const loss = its[count - 1];
    if (!loss) return source('the store', key, 'shared');
    const former = afterLosses(its, count - 1, key);
    return source(`the store after state loss ${count}`, key, 'shared', former, loss.perhaps);
  };
  const fallbackSource = ({ instance, key }: AnswerEvent): Source => source(`fallback of ${instance}`, key, 'local');

  const keptOut = keptOutOf(history);
  for (const answer of history.answers) {
    const possible = sharedSources(answer);
    const [only] = possible;
    if (answer.source === 'local') file(fallbackSource(answer), answer);
    else if (answer.source === 'shared' && only && possible.length === 1) file(only, answer);
    if (answer.source === 'shared') fallbackSource(answer).told.push(answer);
    const isUncertain = answer.source === 'shared' ? possible.length > 1 : !keptOut(answer);
    if (isUncertain) for (const bucket of possible) bucket.uncertain.push(answer);
    if (answer.source === null && !isControl(history, answer.instance)) fallbackSource(answer).uncertain.push(answer);
  }
  return [...sources.values()];
}

/** Redis forgot buckets, some time between. */
export interface StateLoss {
  readonly beginMs: number;
  readonly endMs: number;
  /** Nobody knows how much: of what a master knew, its replica may have heard all or not all. */
  readonly perhaps: boolean;
  /** Whether it may have forgotten this key's. */
  readonly hits: (key: string) => boolean;
}

/** In order of time. One kill is recorded for each instance that it hits. */
export function stateLosses(history: History): StateLoss[] {
  const injects = history.faults
    .filter(({ state, action }) => state !== 'kept' && action === 'inject')
    .sort((a, b) => a.beginMs - b.beginMs);
  const reach = reachOf(history);
  const hits = (key: string) => reach(key) !== false;
  const losses: StateLoss[] = [];
  for (const { beginMs, endMs, state } of injects) {
    const last = losses.at(-1);
    const overlaps = last !== undefined && beginMs <= last.endMs;
    if (overlaps) losses[losses.length - 1] = { ...last, endMs: Math.max(last.endMs, endMs) };
    else losses.push({ beginMs, endMs, perhaps: state !== 'lost', hits });
  }
  return losses;
}

function file(source: Source, answer: AnswerEvent): void {
  if (isDenied(answer)) source.rejects.push(answer);
  else if (isAllowed(answer)) source.admits.push(answer);
}

/**
 * Whether the breaker between the instance and the key's Redis kept that out of a request from beginning to end. While it
 * is half-open one call is made, which may be a take, and Redis may execute it late.
 */
function keptOutOf(history: History): (answer: AnswerEvent) => boolean {
  const master = masterOf(history);
  return ({ instance, key, sentMs, receivedMs }) => {
    const its = history.placement && master(key, sentMs);
    if (history.placement && its === undefined) return false;
    let open = false;
    for (const { instance: of, shard, to, atMs } of history.breaker) {
      if (of !== instance || (its !== undefined && shard !== undefined && shard !== its)) continue;
      if (atMs > receivedMs + clockMsMax) break;
      if (atMs >= sentMs - clockMsMax) return false;
      open = to === 'open';
    }
    return open;
  };
}
