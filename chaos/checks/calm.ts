// Whether the machine was quiet enough to blame the limiter: the control, which nothing is done to, kept the promise over
// the whole run.

import { answersIn, type History, latencyMs } from '../history.ts';
import { ascending, quantile } from './quantile.ts';

/** A move of a breaker is dated by the instance, whose clock is within this of the lab's. */
export const clockMsMax = 100;

/** What takes so many times as long as the control's slowest answer of the run is no noise, whatever the control's p99 is. */
export const farBeyondFactor = 10;

export function wasCalm(history: History): boolean {
  return controlP99Ms(history) < history.run.bounds.p99Ms;
}

/** Of the whole run; not a number when it gave no answer. */
export function controlP99Ms(history: History): number {
  return quantile(controlMs(history), 0.99);
}

/** The control's slowest answer of the run; 0 when it gave none. */
export function worstControlMs(history: History): number {
  return controlMs(history).at(-1) ?? 0;
}

/** How late the control was, in words: of what was never answered there is no end. */
export function latenessOf(ms: number): string {
  return `${Number.isFinite(ms) ? ms.toFixed(0) : '∞'} ms`;
}

const known = new WeakMap<History, readonly number[]>();

/** Sorted once for all the checks that ask. */
function controlMs(history: History): readonly number[] {
  const sorted = known.get(history) ?? ascending(answersIn(history, history.phases, 'control').map(latencyMs));
  known.set(history, sorted);
  return sorted;
}
