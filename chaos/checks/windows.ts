// When which fault was on what, and what it forced on the limiter meanwhile: all that a check knows of faults.
//
//   begin ── bite ─────────────── heal ── healed          one window for each target and each time that it is hit
//     └ injecting ┘                └ healing ┘

import type { FaultEvent, FaultFacts, History, Stretch } from '../history.ts';
import type { Effect } from '../scenario.ts';

export interface Window extends FaultFacts {
  readonly target: string;
  /** The injection began, and was done. */
  readonly beginMs: number;
  readonly biteMs: number;
  /** The heal began, and was done; infinite when it was not. */
  readonly healMs: number;
  readonly healedMs: number;
}

const known = new WeakMap<readonly FaultEvent[], readonly Window[]>();

/** In order of time. Looked for once for all who ask. */
export function windowsOf({ faults }: Pick<History, 'faults'>): readonly Window[] {
  const windows = known.get(faults) ?? windowsIn(faults);
  known.set(faults, windows);
  return windows;
}

function windowsIn(faults: readonly FaultEvent[]): Window[] {
  const idOf = ({ fault, target }: Pick<FaultEvent, 'fault' | 'target'>) => `${fault}\n${target}`;
  const heals = faults.filter(({ action }) => action === 'heal').sort((a, b) => a.beginMs - b.beginMs);
  const left = Map.groupBy(heals.reverse(), idOf); // the next one last
  return faults
    .filter(({ action }) => action === 'inject')
    .sort((a, b) => a.beginMs - b.beginMs)
    .map(({ type: _, action: __, beginMs, endMs, ...rest }) => {
      const its = left.get(idOf(rest)) ?? [];
      let heal = its.pop();
      while (heal && heal.endMs < beginMs) heal = its.pop(); // nor was it that of a later one
      const [healMs, healedMs] = [heal?.beginMs ?? Number.POSITIVE_INFINITY, heal?.endMs ?? Number.POSITIVE_INFINITY];
      return { ...rest, beginMs, biteMs: endMs, healMs, healedMs };
    });
}

/** Whether the fault reaches the instance: by a link of its own, or by the store that all share. */
export function hits({ reach, target }: Pick<Window, 'reach' | 'target'>, instance: string): boolean {
  return reach === 'shared-store' || reach === 'one-shard' || target === instance;
}

/** Whether answers of the instance come late, or not at all, by no doing of its own: something is between it and its clients, or it gets no processor. */
export function isHoldingUp({ reach, effect }: Pick<Window, 'reach' | 'effect'>): boolean {
  return reach === 'front-links' || reach === 'one-front-link' || effect === 'full' || effect === 'starved';
}

/** Whether that may have been so at some time of the stretch. */
export function isHeldUpIn(history: Pick<History, 'faults'>, instance: string, { startMs, endMs }: Stretch): boolean {
  return windowsOf(history).some(
    (it) => isHoldingUp(it) && it.target === instance && it.beginMs <= endMs && it.healedMs >= startMs,
  );
}

/** Whether any fault of the run reaches the instance. Until one was put on, that of all is supposed. */
export function isInstanceHit(history: History, instance: string): boolean {
  const windows = windowsOf(history);
  return windows.length === 0 || windows.some((window) => hits(window, instance));
}

/** The windows in which a sound limiter could not decide by its store. */
export function cutOffs(history: Pick<History, 'faults'>): Window[] {
  return windowsOf(history).filter(({ effect }) => effect === 'cut-off');
}

/** An instance that was made unable to answer has to do so again within this time of the heal. */
export const readyMsMax = 10_000;

/** When the instance could not answer, and need not. */
export function absencesOf(history: Pick<History, 'faults'>, instance: string): Stretch[] {
  return windowsOf(history)
    .filter(({ effect, target }) => effect === 'unavailable' && target === instance)
    .map(({ beginMs, healMs, healedMs }) => ({ startMs: beginMs, endMs: Math.min(healedMs, healMs + readyMsMax) }));
}

/** When the instance could not do at once what it would: it could not answer, or got too little processor time. */
export function heldUpIn(history: Pick<History, 'faults' | 'answers'>, instance: string): Stretch[] {
  const starved = windowsOf(history)
    .filter(({ effect, target }) => effect === 'starved' && target === instance)
    .map(({ beginMs, healedMs }) => ({ startMs: beginMs, endMs: healedMs }));
  return [...absencesOf(history, instance), ...lateReturnsIn(history, instance), ...starved];
}

/** From when an instance had to answer again to when it did; nothing of one that never did. */
export function lateReturnsIn(history: Pick<History, 'faults' | 'answers'>, instance: string): Stretch[] {
  return returnsIn(history, instance).filter(({ endMs }) => Number.isFinite(endMs));
}

/** Likewise, and to infinity of one that never did. */
export function returnsIn(history: Pick<History, 'faults' | 'answers'>, instance: string): Stretch[] {
  return windowsOf(history)
    .filter((it) => it.effect === 'unavailable' && it.target === instance && it.healedMs >= it.healMs + readyMsMax)
    .map(({ healMs }) => {
      const startMs = healMs + readyMsMax;
      const answered = history.answers.filter(
        (it) => it.instance === instance && it.sentMs >= startMs && it.status > 0,
      );
      return { startMs, endMs: answered.reduce((min, { sentMs }) => Math.min(min, sentMs), Number.POSITIVE_INFINITY) };
    });
}

/** What is left of the stretches. */
export function without(stretches: readonly Stretch[], holes: readonly Stretch[]): readonly Stretch[] {
  return holes.reduce(
    (left, hole): readonly Stretch[] =>
      left
        .flatMap((it) => [
          { startMs: it.startMs, endMs: Math.min(it.endMs, hole.startMs) },
          { startMs: Math.max(it.startMs, hole.endMs), endMs: it.endMs },
        ])
        .filter(({ startMs, endMs }) => startMs < endMs),
    stretches,
  );
}

/** The worst that was forced on a sound limiter meanwhile; undefined when nothing was in place. */
export function effectIn(history: History, stretches: readonly Stretch[]): Effect | undefined {
  const inPlace = windowsOf(history).filter(({ biteMs, healMs }) =>
    stretches.some(({ startMs, endMs }) => biteMs < endMs && healMs > startMs),
  );
  const order: readonly Effect[] = ['cut-off', 'degraded', 'starved', 'none', 'full', 'unavailable'];
  return order.find((effect) => inPlace.some((window) => window.effect === effect));
}

/** Whether something is to take the place of what was hit, while the fault lasts. */
export function awaitsFailover({ run, faults }: History): boolean {
  return [...run.schedule, ...faults].some(({ endsBy }) => endsBy === 'failover');
}
