// The same scenarios on several limiters, and what came of each: one entry a run.

import type { CheckResult, Verdict } from '../checks/check.ts';
import { askedUnits } from '../checks/recovery-without-source.ts';
import { answersIn, type History, isDenied } from '../history.ts';
import { latenciesOf } from '../report/summary.ts';
import { type PhaseName, phaseNames } from '../scenario.ts';

/** What arena.json holds. */
export interface Arena {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly driver: string;
  readonly seed: number;
  /** Requests per second over the faulted instances. */
  readonly rate: number;
  /** Programs and machine, as in journal.json. */
  readonly environment: Readonly<Record<string, string>>;
  readonly targets: readonly string[];
  readonly scenarios: readonly string[];
  readonly entries: readonly Entry[];
}

export type Entry = Judged | NotJudged;

interface Run {
  readonly target: string;
  readonly scenario: string;
}

/** There is no verdict: the limiter was never ready, or a part of the lab ended. */
export interface NotJudged extends Run {
  readonly error: string;
}

export interface Judged extends Run {
  /** The run's directory, in the arena's own. */
  readonly directory: string;
  readonly verdict: Verdict;
  /** Names of the checks that decided the verdict, unless it is a pass. */
  readonly decisive: readonly string[];
  /** p99 of each phase, from the scheduled send time; infinite, in JSON null, where more than 1 % had no answer. */
  readonly p99Ms: Readonly<Partial<Record<PhaseName, number | null>>>;
  readonly controlP99Ms: Readonly<Partial<Record<PhaseName, number | null>>>;
  /** Per cent of the requests that were denied while a fault lasted; and of the control's, which no fault reaches. */
  readonly refusedShare: number | null;
  readonly controlRefusedShare: number | null;
  /** Requests that nobody decided: no answer, or none of the contract. */
  readonly lost: number | null;
  /** Tokens beyond the bound, at the worst. */
  readonly excess: number | null;
  /** From the heal until the store decides again; null where the target does not say who decides. */
  readonly recoveryMs: number | null;
}

export function entryOf({
  target,
  directory,
  history,
  checks,
  verdict,
}: {
  readonly target: string;
  readonly directory: string;
  readonly history: History;
  readonly checks: readonly CheckResult[];
  readonly verdict: Verdict;
}): Judged {
  const p99Of = (arm: 'faulted' | 'control') =>
    Object.fromEntries(
      phaseNames.flatMap((name) => {
        const stretches = history.phases.filter((phase) => phase.name === name);
        return stretches.length === 0 ? [] : [[name, latenciesOf(answersIn(history, stretches, arm)).p99]];
      }),
    );
  const decisive = verdict === 'pass' ? [] : checks.filter((check) => check.verdict === verdict);
  return {
    target,
    scenario: history.run.scenario,
    directory,
    verdict,
    decisive: [...new Set(decisive.map(({ name }) => name))],
    p99Ms: p99Of('faulted'),
    controlP99Ms: p99Of('control'),
    refusedShare: refusedShare(history, 'faulted'),
    controlRefusedShare: refusedShare(history, 'control'),
    lost: measuredBy(checks, 'availability'),
    excess: excessIn(checks),
    recoveryMs: measuredBy(
      checks.filter(({ unit }) => !askedUnits.has(unit)),
      'recovery',
    ),
  };
}

/** Of the first second of the fault and the rest of it. */
function refusedShare(history: History, arm: 'faulted' | 'control'): number | null {
  const stretches = history.phases.filter(({ name }) => name === 'onset' || name === 'fault');
  const answers = answersIn(history, stretches, arm);
  return answers.length === 0 ? null : (100 * answers.filter(isDenied).length) / answers.length;
}

function measuredBy(checks: readonly CheckResult[], name: string): number | null {
  return checks.find((check) => check.name === name)?.measured ?? null;
}

/** `admission` measures tokens beyond the bound; `fleet` measures what was admitted. */
function excessIn(checks: readonly CheckResult[]): number | null {
  const beyond = checks.flatMap(({ name, measured, limit }) => {
    if (measured === null || limit === null) return [];
    if (name === 'admission') return [measured];
    return name === 'fleet' ? [Math.max(0, measured - limit)] : [];
  });
  return beyond.length === 0 ? null : Math.max(...beyond);
}
