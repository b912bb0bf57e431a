// A check that watches a world as it lives, so that hours of a large fleet need not be kept. What it finds is told as the
// lab's checks tell it.

import type { CheckResult } from '../checks/check.ts';
import type { Observer } from './observer.ts';

export interface FleetCheck extends Observer {
  readonly name: string;
  result(): CheckResult;
}

/** What the check found: nothing but counts, and the first that was wrong. */
export class Tally {
  judged = 0;
  wrong = 0;
  first: string | undefined;

  /** `isRight`: whether this one is; `detail` is asked only of the first that is not. */
  judge(isRight: boolean, detail: () => string): void {
    this.judged++;
    if (isRight) return;
    this.wrong++;
    this.first ??= detail();
  }

  /** `unit`: what was judged, in the plural. */
  result(name: string, unit: string): CheckResult {
    const verdict = this.wrong > 0 ? 'fail' : this.judged > 0 ? 'pass' : 'not applicable';
    const detail = this.first ?? (this.judged > 0 ? `${this.judged} ${unit}` : `no ${unit}`);
    return { name, phase: 'all', verdict, measured: this.wrong, limit: 0, unit, detail };
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
