// What a check is: a pure function over the history that says pass, fail or unknown, with the number it measured and the
// limit it held it against. A check that throws counts as unknown: a defect of ours is no verdict on the system.

import type { History } from '../history.ts';

export type Verdict = 'pass' | 'fail' | 'unknown';

export interface CheckResult {
  readonly name: string;
  /** The phase judged, or `all`. */
  readonly phase: string;
  readonly verdict: Verdict;
  /** Null when nothing could be measured. */
  readonly measured: number | null;
  readonly limit: number | null;
  readonly unit: string;
  /** One sentence; for a failure, the witness. */
  readonly detail: string;
}

export interface Check {
  readonly name: string;
  /** One line, in Markdown: the property. The documents list it. */
  readonly property: string;
  readonly judge: (history: History) => CheckResult[];
}

export function runChecks(checks: readonly Check[], history: History): CheckResult[] {
  return checks.flatMap((check) => {
    try {
      return check.judge(history);
    } catch (error) {
      const detail = `the check itself broke: ${(error as Error).message}`;
      return [{ name: check.name, phase: 'all', verdict: 'unknown', measured: null, limit: null, unit: '', detail }];
    }
  });
}

const severity: readonly Verdict[] = ['pass', 'unknown', 'fail'];

/** fail > unknown > pass; nothing checked is unknown. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0) return 'unknown';
  return verdicts.reduce((a, b) => (severity.indexOf(b) > severity.indexOf(a) ? b : a));
}
