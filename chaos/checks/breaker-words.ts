// What a breaker says, held against what its instance did meanwhile: an open one keeps every call from Redis, a closed one
// does not let the fallback answer for long, and one that opened asks again when it must.
//
// The instance dates its moves, so nothing within clockMsMax of a move counts. One whose Redis was replaced is not judged
// after that: when a breaker is gone is seen late.

import { Overlaps } from '../ascending.ts';
import { type AnswerEvent, type BreakerEvent, type History, isAllowed, type Stretch } from '../history.ts';
import { answersOf, answersWithin } from './answers-of.ts';
import { clockMsMax, worstControlMs } from './calm.ts';
import { isByFaultIn } from './excuses.ts';
import { isUnplaced, masterOf } from './outage.ts';
import { failedIn, isWithoutStore } from './store-failure.ts';
import { awaitsFailover, heldUpIn } from './windows.ts';

/** A breaker was in one state from one instant to another. */
export interface Stay {
  readonly instance: string;
  readonly shard: string | undefined;
  readonly state: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is at odds with what a breaker says, as a sentence without its full stop. */
export interface Contradiction {
  readonly atMs: number;
  readonly detail: string;
}

/** So many calls beyond those that may fail, and so many times as many, are no error of counting. */
const callsMin = 20;
const callsFactor = 2;
/** A closed breaker has opened by then, given calls; the deadline and the failures that it takes come on top. */
const closedMsMax = 1000;
/** Openings that last less than half of what they must: one or two may have been ended by a connection that came back. */
const shortMax = 3;
/** So many times the wait before a probe is more than a timer is late. */
const waitsMax = 2;

export function contradictionsIn(history: History): Contradiction[] {
  const ofBreakers = Map.groupBy(staysIn(history), ({ instance }) => instance);
  const stays = [...ofBreakers].flatMap(([instance, its]) => {
    const heldUp = heldUpIn(history, instance);
    return its.flatMap((stay) => aroundHoldUps(heldUp, stay));
  });
  const guards = guardOf(history);
  return [
    ...stays.flatMap((stay) => [...admittedWhileOpen(history, guards, stay), ...neverAsked(history, guards, stay)]),
    ...stays.flatMap((stay) => fallbackWhileClosed(history, guards, stay)),
    ...flaps(history, [...ofBreakers.values()].flat()),
    ...openInName(history, guards, stays),
  ].sort((a, b) => a.atMs - b.atMs);
}

/** Of each breaker, in order of time, from the beginning of the run to its end. */
function staysIn(history: History): Stay[] {
  const startMs = history.phases[0]?.startMs ?? 0;
  const endMs = history.phases.at(-1)?.endMs ?? 0;
  const isReplaced = awaitsFailover(history);
  const moved = [...Map.groupBy(history.breaker, ({ instance, shard }) => `${instance} ${shard}`).values()];
  const moving = new Set(history.breaker.map(({ instance }) => instance));
  const silent = history.run.instances.filter(({ name, reportsBreaker }) => reportsBreaker && !moving.has(name));
  return [
    ...silent.map(({ name }) => ({ instance: name, shard: undefined, state: 'closed', fromMs: startMs, toMs: endMs })),
    ...moved.flatMap((moves) => {
      const [first] = moves;
      const before = first ? [{ ...first, to: first.from, atMs: startMs }, ...moves] : moves;
      return before.flatMap(({ instance, shard, to: state, atMs: fromMs }, i): Stay[] => {
        const next = before[i + 1];
        const isUnsure = state === 'gone' || next?.to === 'gone' || (isReplaced && next === undefined);
        return isUnsure ? [] : [{ instance, shard, state, fromMs, toMs: next?.atMs ?? endMs }];
      });
    }),
  ];
}

/** What is left of it without the times at which its instance could do nothing. */
function aroundHoldUps(heldUp: readonly Stretch[], stay: Stay): Stay[] {
  return heldUp.reduce(
    (left, { startMs, endMs }) =>
      left
        .flatMap((it) => [
          { ...it, toMs: Math.min(it.toMs, startMs) },
          { ...it, fromMs: Math.max(it.fromMs, endMs) },
        ])
        .filter(({ fromMs, toMs }) => fromMs < toMs),
    [stay],
  );
}

/** Whether the breaker guards the way of that request, of the same instance, to Redis. */
type Guards = (breaker: Pick<Stay, 'shard'>, answer: AnswerEvent) => boolean;

function guardOf(history: History): Guards {
  const master = masterOf(history);
  const isOfSeveral = history.placement !== undefined || isUnplaced(history);
  return ({ shard }, answer) => shard === undefined || !isOfSeveral || master(answer.key, answer.sentMs) === shard;
}

/** What the breaker guarded from beginning to end of its stay, in the order in which it was sent. */
function surelyWithin(history: History, guards: Guards, stay: Stay): AnswerEvent[] {
  const { instance, fromMs, toMs } = stay;
  const its = answersWithin(history, instance, fromMs + clockMsMax, toMs - clockMsMax);
  return its.filter((answer) => guards(stay, answer));
}

function admittedWhileOpen(history: History, guards: Guards, stay: Stay): Contradiction[] {
  if (stay.state !== 'open') return [];
  const admitted = surelyWithin(history, guards, stay).filter((it) => it.source === 'shared' && isAllowed(it));
  const [first] = admitted;
  if (!first) return [];
  return [said(stay, first.sentMs, `was open, and Redis admitted ${admitted.length} requests`)];
}

function neverAsked(history: History, guards: Guards, stay: Stay): Contradiction[] {
  const waitMs = longestWaitMs(history);
  const lastedMs = stay.toMs - stay.fromMs;
  if (stay.state !== 'open' || lastedMs <= waitMs || wasHeldUp(history)) return [];
  const mayNotHaveCome = isByFaultIn(history, 'what');
  const isAsked = surelyWithin(history, guards, stay).some(
    (it) => it.sentMs > stay.fromMs + waitMs / 2 && !mayNotHaveCome(it),
  );
  return isAsked
    ? [said(stay, stay.fromMs, `was open for ${(lastedMs / 1000).toFixed(1)} s without asking Redis`)]
    : [];
}

/**
 * Of calls made one after another, so that each must have failed by itself: takes of one moment may share a call, and an
 * instance without a connection answers at once.
 */
function fallbackWhileClosed(history: History, guards: Guards, stay: Stay): Contradiction[] {
  if (stay.state !== 'closed') return [];
  let [calls, sinceMs, overMs] = [0, 0, Number.NEGATIVE_INFINITY];
  for (const answer of surelyWithin(history, guards, stay)) {
    if (answer.source === 'shared') [calls, overMs] = [0, Number.NEGATIVE_INFINITY];
    if (!isWithoutStore(answer) || answer.sentMs < overMs) continue;
    if (calls === 0) sinceMs = answer.receivedMs;
    [calls, overMs] = [calls + 1, Math.max(answer.receivedMs, answer.sentMs + history.run.bounds.redisTimeoutMs)];
    const lastedMs = answer.sentMs - sinceMs;
    if (calls > callsFactor * history.run.bounds.breakerFailures && lastedMs > closedMsMax) {
      return [said(stay, sinceMs, `was closed, and the fallback alone answered for ${(lastedMs / 1000).toFixed(1)} s`)];
    }
  }
  return [];
}

/** `stays`: whole ones. What holds an instance up makes none shorter. */
function flaps({ run }: History, stays: readonly Stay[]): Contradiction[] {
  const { breakerResetMs } = run.bounds;
  const short = stays.filter(({ state, fromMs, toMs }) => state === 'open' && toMs - fromMs < breakerResetMs / 2);
  return [...Map.groupBy(short, ({ instance, shard }) => `${instance} ${shard}`).values()].flatMap((its) => {
    const [first] = its;
    return first && its.length >= shortMax
      ? [said(first, first.fromMs, `was open ${its.length} times for less than half of ${breakerResetMs} ms`)]
      : [];
  });
}

/**
 * Between two counts of failed calls: each was made for a request that the fallback then answered, while the breaker was
 * not surely open, or was a probe. Where far more failed, calls were made while it was open.
 */
function openInName(history: History, guards: Guards, stays: readonly Stay[]): Contradiction[] {
  const ofInstances = Map.groupBy(stays, ({ instance }) => instance);
  return [...Map.groupBy(history.storeErrors, ({ instance }) => instance)].flatMap(([instance, counts]) => {
    const its = ofInstances.get(instance) ?? [];
    const open = its.filter(({ state }) => state === 'open');
    if (open.length === 0) return [];
    const whileOpen = new Set(open.flatMap((stay) => surelyWithin(history, guards, stay)));
    const failing = answersOf(history, instance).filter((it) => it.source !== 'shared' && !whileOpen.has(it));
    const calls = new Overlaps(failing.map(({ sentMs, receivedMs }) => [sentMs, receivedMs]));
    const halfOpen = its.filter(({ state }) => state === 'half-open');
    const probes = new Overlaps(halfOpen.map((stay) => [stay.fromMs, stay.toMs]));
    return counts.slice(1).flatMap((count, i): Contradiction[] => {
      const since = counts[i];
      if (since === undefined) return [];
      const failed = failedIn(count) - failedIn(since);
      if (failed <= callsMin) return [];
      const { atMs } = count;
      const [fromMs, toMs] = [since.atMs - clockMsMax, atMs + clockMsMax];
      const may = probes.count(fromMs, toMs) + calls.count(fromMs, toMs);
      if (failed <= callsMin + callsFactor * may) return [];
      const stay = open.find((it) => it.toMs >= since.atMs && it.fromMs <= atMs);
      if (!stay) return [];
      return [
        said(
          stay,
          since.atMs,
          `was open, and ${failed} calls failed within ${((atMs - since.atMs) / 1000).toFixed(1)} s`,
        ),
      ];
    });
  });
}

function said({ instance, shard }: Pick<Stay, 'instance' | 'shard'>, atMs: number, what: string): Contradiction {
  const name = shard === undefined ? instance : `${instance} for ${shard}`;
  return { atMs, detail: `the breaker of ${name} said that it ${what}, at ${(atMs / 1000).toFixed(3)} s` };
}

/**
 * Whether its first move begins in a state that cannot have lasted since before the run: half-open is over with one call,
 * unless the machine stood still. One that was open is held to what an open one must do.
 */
export function beganElsewhere(history: History, { from, atMs }: BreakerEvent): boolean {
  return from !== 'closed' && from !== 'open' && atMs > longestWaitMs(history) && !wasHeldUp(history);
}

/** In which an open breaker must have asked again. */
function longestWaitMs({ run }: History): number {
  return waitsMax * run.bounds.breakerResetMs * (1 + run.bounds.resetJitterRatio);
}

/** Noise on the machine, of which the control tells, may delay a probe. */
function wasHeldUp(history: History): boolean {
  return worstControlMs(history) >= history.run.bounds.breakerResetMs;
}
