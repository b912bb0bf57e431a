// Sorts the answers by the bucket that decided them, so that each bucket's promise can be checked by itself.
//
// A source is one key's bucket in one place: in Redis (until Redis loses its data, which begins a new one), in the
// control's Redis, or in one instance's fallback.

import { type AnswerEvent, type History, isAllowed, isControl, isDenied, type SourceKind } from '../history.ts';
import { clockMsMax } from './calm.ts';
import { isUnplaced, masterOf, reachOf } from './outage.ts';

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
  /** The store's bucket that decided it, if the store did; several when nobody can tell whether that was before a loss or after. */
  const sharedSources = (answer: AnswerEvent): Source[] => {
    if (isControl(history, answer.instance)) return [source("the control's store", answer.key, 'shared')];
    return around(losses.filter(isOf('shared', answer)), answer, 'the store', 'shared');
  };
  const localSources = (answer: AnswerEvent): Source[] =>
    around(losses.filter(isOf('local', answer)), answer, `fallback of ${answer.instance}`, 'local');
  const around = (its: readonly StateLoss[], answer: AnswerEvent, name: string, kind: SourceKind): Source[] => {
    const surely = its.filter(({ endMs }) => endMs < answer.sentMs).length;
    const possibly = its.filter(({ beginMs }) => beginMs < answer.receivedMs).length;
    const afterLosses = (count: number): Source => {
      const loss = its[count - 1];
      if (!loss) return source(name, answer.key, kind);
      const former = afterLosses(count - 1);
      return source(`${name} after state loss ${count}`, answer.key, kind, former, loss.perhaps);
    };
    return Array.from({ length: 1 + possibly - surely }, (_, i) => afterLosses(surely + i));
  };

  const keptOut = keptOutOf(history);
  for (const answer of history.answers) {
    const [shared, local] = [sharedSources(answer), localSources(answer)];
    const possible = answer.source === 'local' ? local : shared;
    const [only] = possible;
    const isOfBucket = answer.source === 'shared' || answer.source === 'local';
    if (isOfBucket && only && possible.length === 1) file(only, answer);
    if (answer.source === 'shared') for (const bucket of local) bucket.told.push(answer);
    const isUncertain = answer.source === 'shared' ? shared.length > 1 : !keptOut(answer);
    if (isUncertain) for (const bucket of shared) bucket.uncertain.push(answer);
    const isLocal = answer.source === 'local' ? local.length > 1 : answer.source === null;
    if (isLocal && !isControl(history, answer.instance)) for (const bucket of local) bucket.uncertain.push(answer);
  }
  return [...sources.values()];
}

/** Buckets were forgotten, some time between. */
export interface StateLoss {
  /** Whose own they were; those of the store when undefined. */
  readonly instance: string | undefined;
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
  const isHit = reachOf(history);
  const hits = (key: string) => isHit(key) !== false;
  const losses: StateLoss[] = [];
  for (const { beginMs, endMs, state, reach, target } of injects) {
    const instance = reach === 'one-instance' ? target : undefined;
    const last = losses.findLastIndex((loss) => loss.instance === instance);
    const former = losses[last];
    if (former && beginMs <= former.endMs) losses[last] = { ...former, endMs: Math.max(former.endMs, endMs) };
    else losses.push({ instance, beginMs, endMs, perhaps: state !== 'lost', hits: instance ? () => true : hits });
  }
  return losses;
}

/** Those that the bucket may have suffered which such an answer tells of. */
export function isOf(
  kind: SourceKind,
  { instance, key }: Pick<AnswerEvent, 'instance' | 'key'>,
): (loss: StateLoss) => boolean {
  return (loss) => loss.instance === (kind === 'local' ? instance : undefined) && loss.hits(key);
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
  if (isUnplaced(history)) return () => false;
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
