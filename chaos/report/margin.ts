// How far a measured value is from its limit.

import type { CheckResult } from '../checks/check.ts';
import { askedUnits } from '../checks/recovery-without-source.ts';
import { figure } from './figures.ts';

/** Checks whose limit is the least that is asked for; all others' is the most that is allowed. */
const atLeast: ReadonlySet<string> = new Set(['fails-open', 'isolation', 'fault-bit']);
const asksForLeast = ({ name, unit }: CheckResult) => atLeast.has(name) || askedUnits.has(unit);

/** In the check's unit, negative when the limit is violated; null when there is nothing to compare. */
export function marginOf(check: CheckResult): number | null {
  const { measured, limit } = check;
  if (measured === null || limit === null) return null;
  return asksForLeast(check) ? measured - limit : limit - measured;
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
export function limitText(check: CheckResult): string {
  const { limit } = check;
  return limit === null ? '–' : `${asksForLeast(check) ? '≥' : '≤'} ${figure(limit)}`;
}
