// How far a measured value is from its limit.

import type { CheckResult } from '../checks/check.ts';
import { figure } from './figures.ts';

/** Checks whose limit is the least that is asked for; all others' is the most that is allowed. */
const atLeast: ReadonlySet<string> = new Set(['fails-open', 'isolation', 'fault-bit']);

/** In the check's unit, negative when the limit is violated; null when there is nothing to compare. */
export function marginOf({ name, measured, limit }: CheckResult): number | null {
  if (measured === null || limit === null) return null;
  return atLeast.has(name) ? measured - limit : limit - measured;
}

/** `4.37 (49 %)`: and how much of the limit that is. */
export function marginText(check: CheckResult): string {
  const margin = marginOf(check);
  if (margin === null) return '–';
  return check.limit
    ? `${figure(margin)} (${figure(Math.round((100 * margin) / check.limit) || 0)} %)`
    : figure(margin);
}

/** `≤ 9` or `≥ 99`. */
export function limitText({ name, limit }: CheckResult): string {
  return limit === null ? '–' : `${atLeast.has(name) ? '≥' : '≤'} ${figure(limit)}`;
}
