// While Redis cannot answer, the fallback does; once it can again, Redis does.

import { type AnswerEvent, answersIn, type History, latencyMs } from '../history.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { bit } from './fault-bit.ts';
import { ascending, quantile } from './quantile.ts';
import { recoveryMsMax } from './recovery.ts';

const shareMin = 0.99;
/** Less than this share from Redis is more than some stalls of a shared machine can explain. */
const stallShareMin = 0.5;

export const failsOpen: Check = {
  name: 'fails-open',
  property: 'the fallback answers during the fault, and Redis before and after it',
  judge: (history: History): CheckResult[] => history.phases.flatMap((phase) => judgePhase(history, phase.name)),
};

function judgePhase(history: History, name: string): CheckResult[] {
  const expected = name === 'fault' ? 'fallback' : name === 'baseline' || name === 'recovered' ? 'redis' : undefined;
  const phase = history.phases.find((p) => p.name === name);
  if (!expected || !phase) return [];
  if (expected === 'fallback' && history.run.fault === null) return []; // switched by hand: nobody said what to expect
  // Recovery has its own check and may reach a little into this phase.
  const healedMs = history.faults.filter(({ action }) => action === 'heal').at(-1)?.endMs ?? 0;
  const fromMs = name === 'recovered' ? healedMs + recoveryMsMax(history.run.bounds) : phase.startMs;
  const judged = { ...phase, startMs: Math.max(fromMs, phase.startMs) };

  const share = shareOf(answersIn(history, judged, 'faulted'), expected);
  const controlShare = shareOf(answersIn(history, judged, 'control'), 'redis');
  const state = (verdict: Verdict, detail: string): CheckResult[] => {
    const measured = Number.isNaN(share) ? null : share * 100;
    return [{ name: 'fails-open', phase: name, verdict, measured, limit: shareMin * 100, unit: '%', detail }];
  };
  if (Number.isNaN(share)) return state('unknown', 'no answers');
  if (share >= shareMin) return state('pass', `answered by ${expected}`);
  if (expected === 'fallback' && !bit(history)) return state('unknown', 'the fault was not seen to bite');
  // A noisy machine delays store calls past their deadline, and then the fallback rightly answers.
  if (expected === 'redis' && !(controlShare >= shareMin)) {
    return state('unknown', `of the control's answers only ${(controlShare * 100).toFixed(1)} % are from Redis either`);
  }
  const controlP99 = quantile(ascending(answersIn(history, judged, 'control').map(latencyMs)), 0.99);
  if (expected === 'redis' && controlP99 >= history.run.bounds.p99Ms) {
    return state('unknown', `the control's p99 is ${controlP99.toFixed(1)} ms: the machine is too busy to tell`);
  }
  // One stall of an instance's own path to Redis, which the control does not feel, rightly opens its breaker for a second.
  if (expected === 'redis' && share >= stallShareMin) {
    return state('unknown', 'answered by redis; a stall of one link could explain the rest');
  }
  return state('fail', `answered by ${expected}`);
}

function shareOf(answers: readonly AnswerEvent[], mechanism: string): number {
  return answers.filter((answer) => answer.mechanism === mechanism).length / answers.length;
}
