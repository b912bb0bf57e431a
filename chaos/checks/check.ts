// What a check is: a pure function over the history that says pass, fail or unknown, with the number it measured and the
// limit it held it against. A check that throws counts as unknown: a defect of ours is no verdict on the system.

import type { History } from '../history.ts';
import { gapsIn } from './record.ts';

export type Verdict = 'pass' | 'fail' | 'unknown';

/** What a check says: a verdict, or that there is nothing to judge by it. That does not count. */
export type Finding = Verdict | 'not applicable';

/** What a check needs of the run to say anything. */
export type Need = 'source' | 'remaining' | 'breaker' | 'schedule' | 'cut-off';

export interface CheckResult {
  readonly name: string;
  /** The phase judged, or `all`. */
  readonly phase: string;
  readonly verdict: Finding;
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
  /** Without one of them it is not applicable. */
  readonly needs: readonly Need[];
  readonly judge: (history: History) => CheckResult[];
}

/**
 * `gaps`: what is known to be missing beside what the history itself shows. With any, the first result tells of them all,
 * and no check fails: what is missing could have explained it.
 */
export function runChecks(
  checks: readonly Check[],
  history: History,
  gaps: readonly string[] = gapsIn(history),
): CheckResult[] {
  const results = resultsOf(checks, history);
  return gaps.length === 0 ? results : [incomplete(gaps), ...results.map(doubted)];
}

function resultsOf(checks: readonly Check[], history: History): CheckResult[] {
  return checks.flatMap((check) => {
    const missing = check.needs.flatMap((need) => lackOf(history, need) ?? [])[0];
    if (missing !== undefined) return [notApplicable(check.name, missing)];
    try {
      return check.judge(history);
    } catch (error) {
      const detail = `the check itself broke: ${(error as Error).message}`;
      return [{ name: check.name, phase: 'all', verdict: 'unknown', measured: null, limit: null, unit: '', detail }];
    }
  });
}

function incomplete(gaps: readonly string[]): CheckResult {
  const detail = gaps.join(' ');
  return { name: 'history', phase: 'all', verdict: 'unknown', measured: gaps.length, limit: 0, unit: 'gaps', detail };
}

function doubted(check: CheckResult): CheckResult {
  if (check.verdict !== 'fail') return check;
  return { ...check, verdict: 'unknown', detail: `a failure, if nothing were missing: ${check.detail}` };
}

/** Why there is nothing to judge. */
export function notApplicable(name: string, detail: string, phase = 'all'): CheckResult {
  return { name, phase, verdict: 'not applicable', measured: null, limit: null, unit: '', detail };
}

/** What the run does not give; undefined when it does. What the target is to give and does not is no lack: it is judged. */
function lackOf({ run }: History, need: Need): string | undefined {
  switch (need) {
    case 'source':
      return run.gives.includes('source') ? undefined : 'the target does not say who decided';
    case 'remaining':
      return run.gives.includes('remaining') ? undefined : 'the target does not say what remains';
    case 'breaker':
      return run.gives.includes('breaker') ? undefined : 'the target does not say how its breaker moves';
    case 'schedule':
      return run.schedule.length > 0 ? undefined : 'the scenario breaks nothing';
    case 'cut-off':
      return run.schedule.some(({ effect }) => effect === 'cut-off')
        ? undefined
        : 'nothing keeps a sound limiter from its store';
    default:
      return need satisfies never;
  }
}

const severity: readonly Finding[] = ['not applicable', 'pass', 'unknown', 'fail'];

/** The more, the worse; what is not applicable is the least. */
export function severityOf(finding: Finding): number {
  return severity.indexOf(finding);
}

/** fail > unknown > pass; what is not applicable does not count. Nothing judged is unknown. */
export function worstOf(findings: readonly Finding[]): Verdict {
  const verdicts = findings.filter((finding) => finding !== 'not applicable');
  if (verdicts.length === 0) return 'unknown';
  return verdicts.reduce((a, b) => (severityOf(b) > severityOf(a) ? b : a));
}
