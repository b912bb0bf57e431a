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

/** In order of time. */
export function windowsOf({ faults }: Pick<History, 'faults'>): Window[] {
  const heals = faults.filter(({ action }) => action === 'heal').sort((a, b) => a.beginMs - b.beginMs);
  const used = new Set<FaultEvent>();
  return faults
    .filter(({ action }) => action === 'inject')
    .sort((a, b) => a.beginMs - b.beginMs)
    .map(({ type: _, action: __, beginMs, endMs, ...rest }) => {
      const heal = heals.find(
        (it) => !used.has(it) && it.fault === rest.fault && it.target === rest.target && it.endMs >= beginMs,
      );
      if (heal) used.add(heal);
      const [healMs, healedMs] = [heal?.beginMs ?? Number.POSITIVE_INFINITY, heal?.endMs ?? Number.POSITIVE_INFINITY];
      return { ...rest, beginMs, biteMs: endMs, healMs, healedMs };
    });
}

/** Whether the fault reaches the instance: by a link of its own, or by the store that all share. */
export function hits({ reach, target }: Pick<Window, 'reach' | 'target'>, instance: string): boolean {
  return reach === 'shared-store' || reach === 'one-shard' || target === instance;
}

/** Whether it is on the way between the clients and the instance, which has its store all the same. */
export function isOfFront({ reach }: Pick<Window, 'reach'>): boolean {
  return reach === 'front-links' || reach === 'one-front-link';
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

/** When instances that had not answered in time after the heal did answer again; infinite for one that never did. */
export function lateReturnsIn(history: Pick<History, 'faults' | 'answers'>, instance: string): Stretch[] {
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

/** The worst that was forced on a sound limiter meanwhile; undefined when nothing was in place. */
export function effectIn(history: History, stretches: readonly Stretch[]): Effect | undefined {
  const inPlace = windowsOf(history).filter(({ biteMs, healMs }) =>
    stretches.some(({ startMs, endMs }) => biteMs <= endMs && healMs >= startMs),
  );
  const order: readonly Effect[] = ['cut-off', 'degraded', 'none', 'unavailable'];
  return order.find((effect) => inPlace.some((window) => window.effect === effect));
}

/** Whether something is to take the place of what was hit, while the fault lasts. */
export function awaitsFailover({ run, faults }: History): boolean {
  return [...run.schedule, ...faults].some(({ endsBy }) => endsBy === 'failover');
}
