// Sorts the answers by the bucket that decided them, so that each bucket's promise can be checked by itself.
//
// A source is one key's bucket in one place: in Redis (until Redis loses its data, which begins a new one), in the
// control's Redis, or in one instance's fallback.

import { countBelow } from '../ascending.ts';
import { driftRatioOf } from '../bounds.ts';
import {
  type AnswerEvent,
  type BreakerEvent,
  type FaultEvent,
  type History,
  isAllowed,
  isDenied,
  type SourceKind,
} from '../history.ts';
import { clockMsMax } from './calm.ts';
import { isUnplaced, masterOf, reachOf } from './outage.ts';

export interface Source {
  /** `the store`, `the store after state loss 1`, `the control's store`, `fallback of limiter-1`. */
  readonly name: string;
  readonly key: string;
  readonly isFallback: boolean;
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** How far its clock and the client's may drift apart. */
  readonly driftRatio: number;
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
  /** Of a bucket in Redis: when it may have been found empty though nobody took its tokens. */
  readonly emptied: Emptying[];
}

/** Some time between, at the first decision after a fault: until that may have been made, and then for sure. */
export type Emptying = Pick<AnswerEvent, 'sentMs' | 'receivedMs'>;

const controlStore = "the control's store";

const known = new WeakMap<History, Source[]>();

/** Sorted once for all the checks that ask. */
export function sourcesOf(history: History): readonly Source[] {
  const sources = known.get(history) ?? sorted(history);
  known.set(history, sources);
  return sources;
}

function sorted(history: History): Source[] {
  const { bounds } = history.run;
  const driftRatio = driftRatioOf(bounds);
  const lossesOf = lossesBy(stateLosses(history));
  const controls = new Set(history.run.instances.filter(({ control }) => control).map(({ name }) => name));
  const sources = new Map<string, Source>();

  const source = (name: string, key: string, kind: SourceKind, former?: Source, mayContinue = false): Source => {
    const id = idOf(name, key);
    const existing = sources.get(id);
    if (existing) return existing;
    const capacity = kind === 'shared' ? bounds.capacity : bounds.fallbackCapacity;
    const refillPerSecond = kind === 'shared' ? bounds.refillPerSecond : bounds.fallbackRefillPerSecond;
    const lists = { admits: [], rejects: [], uncertain: [], told: [], emptied: [] };
    const isFallback = kind === 'local';
    const created: Source = {
      ...{ name, key, isFallback, capacity, refillPerSecond, driftRatio },
      ...lists,
      ...{ former, mayContinue },
    };
    sources.set(id, created);
    return created;
  };
  /** The store's bucket that decided it, if the store did; several when nobody can tell whether that was before a loss or after. */
  const sharedSources = (answer: AnswerEvent): Source[] => {
    if (controls.has(answer.instance)) return [source(controlStore, answer.key, 'shared')];
    return around(lossesOf('shared', answer), answer, 'the store', 'shared');
  };
  const localSources = (answer: AnswerEvent): Source[] =>
    around(lossesOf('local', answer), answer, `fallback of ${answer.instance}`, 'local');
  const around = (its: readonly StateLoss[], answer: AnswerEvent, name: string, kind: SourceKind): Source[] => {
    const surely = countBelow(its, answer.sentMs, ({ endMs }) => endMs);
    const possibly = countBelow(its, answer.receivedMs, ({ beginMs }) => beginMs);
    const nameAfter = (count: number) => (count === 0 ? name : `${name} after state loss ${count}`);
    const afterLosses = (count: number): Source => {
      let known = count;
      while (known > 0 && !sources.has(idOf(nameAfter(known), answer.key))) known--;
      let bucket = source(nameAfter(known), answer.key, kind);
      for (let i = known + 1; i <= count; i++)
        bucket = source(nameAfter(i), answer.key, kind, bucket, its[i - 1]?.perhaps);
      return bucket;
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
    if (isLocal) for (const bucket of local) bucket.uncertain.push(answer);
  }
  const emptyings = history.faults.filter(({ state, action }) => state === 'perhaps-emptied' && action === 'inject');
  const shared = [...sources.values()].filter(({ isFallback, name }) => !isFallback && name !== controlStore);
  if (emptyings.length > 0) for (const bucket of shared) bucket.emptied.push(...emptyingsOf(bucket, emptyings));
  return [...sources.values()];
}

function idOf(name: string, key: string): string {
  return `${name}\n${key}`;
}

/**
 * An admission tells of a decision by Redis. A refusal may repeat one from before the fault, but for no longer than an empty
 * bucket takes to be full.
 */
function emptyingsOf({ admits, rejects, ...bucket }: Source, faults: readonly FaultEvent[]): Emptying[] {
  const fullMs = (bucket.capacity / bucket.refillPerSecond) * 1000 * (1 + bucket.driftRatio);
  const [admitted, refused] = [firstAnswerAfter(admits), firstAnswerAfter(rejects)];
  return faults.map(({ beginMs, endMs }) => ({
    sentMs: beginMs,
    receivedMs: Math.min(admitted(endMs), refused(endMs + fullMs)),
  }));
}

/** When the first was received of those that were sent after an instant; infinite when there is none. */
function firstAnswerAfter(answers: readonly AnswerEvent[]): (atMs: number) => number {
  const sent = answers.toSorted((a, b) => a.sentMs - b.sentMs);
  const firstMs = new Float64Array(sent.length + 1).fill(Number.POSITIVE_INFINITY);
  for (let i = sent.length - 1; i >= 0; i--)
    firstMs[i] = Math.min((sent[i] as AnswerEvent).receivedMs, firstMs[i + 1] as number);
  return (atMs) => firstMs[countBelow(sent, atMs, ({ sentMs }) => sentMs, true)] as number;
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
    .filter(({ state, action }) => state !== 'kept' && state !== 'perhaps-emptied' && action === 'inject')
    .sort((a, b) => a.beginMs - b.beginMs);
  const isHit = reachOf(history);
  const hits = (key: string) => isHit(key) !== false;
  const losses: StateLoss[] = [];
  /** Where the last of each instance stands, and of the store. */
  const lasts = new Map<string | undefined, number>();
  for (const { beginMs, endMs, state, reach, target } of injects) {
    const instance = reach === 'one-instance' ? target : undefined;
    const last = lasts.get(instance) ?? -1;
    const former = losses[last];
    if (former && beginMs <= former.endMs) losses[last] = { ...former, endMs: Math.max(former.endMs, endMs) };
    else {
      lasts.set(instance, losses.length);
      losses.push({ instance, beginMs, endMs, perhaps: state !== 'lost', hits: instance ? () => true : hits });
    }
  }
  return losses;
}

/** Those that the bucket may have suffered which an answer tells of, in order of time: one begins after the other has ended. */
export function lossesBy(
  losses: readonly StateLoss[],
): (kind: SourceKind, answer: Pick<AnswerEvent, 'instance' | 'key'>) => readonly StateLoss[] {
  const ofOwner = Map.groupBy(losses, ({ instance }) => instance);
  const ofKey = new Map<string, readonly StateLoss[]>();
  return (kind, { instance, key }) => {
    if (kind === 'local') return ofOwner.get(instance) ?? [];
    let its = ofKey.get(key);
    if (!its) {
      its = (ofOwner.get(undefined) ?? []).filter((loss) => loss.hits(key));
      ofKey.set(key, its);
    }
    return its;
  };
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
  const ofInstance = Map.groupBy(history.breaker, ({ instance }) => instance);
  const ofBreaker = new Map<string, readonly BreakerEvent[]>();
  const movesOf = (instance: string, its: string | undefined): readonly BreakerEvent[] => {
    const all = ofInstance.get(instance) ?? [];
    if (its === undefined) return all;
    const id = idOf(instance, its);
    const moves = ofBreaker.get(id) ?? all.filter(({ shard }) => shard === undefined || shard === its);
    ofBreaker.set(id, moves);
    return moves;
  };
  return ({ instance, key, sentMs, receivedMs }) => {
    const its = history.placement && master(key, sentMs);
    if (history.placement && its === undefined) return false;
    const moves = movesOf(instance, its);
    const before = countBelow(moves, sentMs - clockMsMax, ({ atMs }) => atMs);
    const next = moves[before];
    return moves[before - 1]?.to === 'open' && !(next && next.atMs <= receivedMs + clockMsMax);
  };
}
