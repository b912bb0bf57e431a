// journal.json: a run for machines. Chaos Toolkit's fields (https://chaostoolkit.org/reference/api/journal/) and ours.

import { type CheckResult, type Verdict, worstOf } from '../checks/check.ts';
import { type History, phasesByName } from '../history.ts';
import { type PhaseSummary, summarize } from './summary.ts';

export interface Journal {
  readonly experiment: { readonly title: string; readonly description: string; readonly configuration: unknown };
  readonly status: 'completed' | 'failed' | 'interrupted';
  readonly start: string;
  readonly end: string;
  /** Seconds. */
  readonly duration: number;
  readonly deviated: boolean;
  readonly steady_states: {
    readonly before: { readonly steady_state_met: boolean | null };
    readonly after: { readonly steady_state_met: boolean | null };
    readonly during: readonly never[];
  };
  readonly run: readonly Activity[];
  readonly rollbacks: readonly Activity[];
  readonly scenario: string;
  readonly seed: number;
  readonly driver: string;
  /** Name of the limiter under test; absent in files of an older lab. */
  readonly target?: string;
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
  readonly phases: Readonly<Record<string, PhaseSummary>>;
  readonly breaker: readonly { instance: string; shard?: string; atMs: number; from: string; to: string }[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Activity {
  readonly activity: { readonly type: 'action'; readonly name: string };
  readonly status: 'succeeded';
  readonly start: string;
  readonly end: string;
  readonly duration: number;
}

export function journalOf(history: History, checks: readonly CheckResult[], endedAt: string): Journal {
  const { run } = history;
  const verdict = worstOf(checks.map((check) => check.verdict));
  const startMs = Date.parse(run.startedAt);
  const at = (ms: number) => new Date(startMs + ms).toISOString();
  const activities = (action: 'inject' | 'heal'): Activity[] =>
    history.faults
      .filter((fault) => fault.action === action)
      .map(({ fault, target, beginMs, endMs }) => ({
        activity: { type: 'action', name: `${action} ${fault} on ${target}` },
        status: 'succeeded',
        start: at(beginMs),
        end: at(endMs),
        duration: (endMs - beginMs) / 1000,
      }));
  return {
    experiment: { title: run.scenario, description: run.hypothesis, configuration: run.bounds },
    status: history.complete ? 'completed' : 'interrupted',
    start: run.startedAt,
    end: endedAt,
    duration: (Date.parse(endedAt) - startMs) / 1000,
    deviated: verdict === 'fail',
    steady_states: {
      before: { steady_state_met: steadyIn(checks, 'baseline') },
      after: { steady_state_met: steadyIn(checks, 'recovered') },
      during: [],
    },
    run: activities('inject'),
    rollbacks: activities('heal'),
    scenario: run.scenario,
    seed: run.seed,
    driver: run.driver,
    ...(run.target === undefined ? {} : { target: run.target }),
    verdict,
    checks,
    phases: Object.fromEntries(
      [...phasesByName(history)].map(([name, stretches]) => [name, summarize(history, stretches)]),
    ),
    breaker: history.breaker.map(({ type: _type, ...move }) => move),
    environment: run.environment,
  };
}

/** Whether every check of the phase passed; null when it was not judged or not decidable. */
function steadyIn(checks: readonly CheckResult[], phase: string): boolean | null {
  const verdict = worstOf(checks.filter((check) => check.phase === phase).map((check) => check.verdict));
  return verdict === 'unknown' ? null : verdict === 'pass';
}
