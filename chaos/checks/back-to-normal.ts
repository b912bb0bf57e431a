// A fault that is over leaves nothing behind: from 5 s after the last heal on, each instance is as quick as in its baseline.
// A limiter may go on to be slow by itself, by a queue that never drains or by retries that make the load that they are
// for (Bronson et al., Metastable Failures in Distributed Systems, HotOS 2021).
//
// It is the median that is judged: noise moves p99, for which `latency` has its limit. Slow is what is slow throughout, in
// each quarter of that time, and only while the control stays as it was.

import { type AnswerEvent, answersIn, type History, latencyMs, type Stretch } from '../history.ts';
import { wasCalm } from './calm.ts';
import { type Check, type CheckResult, notApplicable, type Verdict } from './check.ts';
import { ascending, quantileBounds } from './quantile.ts';

const name = 'back-to-normal';
const settledMs = 5000;
/** Of an instance, in the baseline and after. */
const answersMin = 200;
const quarters = 4;

/** A median that is back may be so much slower than that of the baseline. */
const allowedFactor = 2;
const allowedMs = 1;
/** The control's median stays as it was within this. */
const steadyFactor = 1.5;

export const backToNormal: Check = {
  name,
  property: 'from 5 s after the last heal on, the median latency of each instance is back at that of the baseline',
  needs: ['schedule'],
  judge(history: History): CheckResult[] {
    const healedMs = Math.max(...history.faults.flatMap(({ action, endMs }) => (action === 'heal' ? [endMs] : [])));
    if (healedMs < 0) return [notApplicable(name, 'nothing was healed', 'recovered')];
    const after: Stretch = { startMs: healedMs + settledMs, endMs: history.phases.at(-1)?.endMs ?? 0 };
    const baseline = history.phases.filter((phase) => phase.name === 'baseline');
    const judged = [...Map.groupBy(answersIn(history, baseline, 'faulted'), ({ instance }) => instance)]
      .map(([instance, before]) => {
        const its = answersIn(history, after, 'faulted').filter((it) => it.instance === instance);
        return { instance, before, its };
      })
      .filter(({ before, its }) => Math.min(before.length, its.length) >= answersMin)
      .map(({ instance, before, its }) => ({ instance, ...compared(before, its, after) }));
    const [worst] = judged.toSorted((a, b) => b.medianMs - b.limitMs - (a.medianMs - a.limitMs));
    if (!worst)
      return [notApplicable(name, 'the run has too few answers before the fault, or from 5 s after it', 'recovered')];
    const state = (verdict: Verdict, detail: string): CheckResult[] => [
      { name, phase: 'recovered', verdict, measured: worst.medianMs, limit: worst.limitMs, unit: 'ms median', detail },
    ];
    if (judged.every(({ isBack }) => isBack)) return state('pass', `slowest: ${worst.instance}`);
    const slow = judged.find(({ isSlow }) => isSlow);
    if (!slow) return state('unknown', `${worst.instance} was slower for a part of the time`);
    if (!isSteady(history, baseline, after))
      return state('unknown', 'the control was slower, too, or on a busy machine');
    return state('fail', `${slow.instance} was slow from ${(after.startMs / 1000).toFixed(1)} s to the end`);
  },
};

/** The median after against the one before, by the bounds of both. */
function compared(before: readonly AnswerEvent[], its: readonly AnswerEvent[], after: Stretch) {
  const was = median(before);
  const now = median(its);
  const quarterMs = (after.endMs - after.startMs) / quarters;
  const byQuarter = Map.groupBy(its, ({ scheduledMs }) => Math.floor((scheduledMs - after.startMs) / quarterMs));
  const limitOf = (ms: number) => allowedFactor * ms + allowedMs;
  return {
    medianMs: now.estimate,
    limitMs: limitOf(was.estimate),
    isBack: now.upper <= limitOf(was.upper),
    isSlow: [now, ...[...byQuarter.values()].map(median)].every(({ lower }) => lower > limitOf(was.upper)),
  };
}

function isSteady(history: History, baseline: readonly Stretch[], after: Stretch): boolean {
  const was = median(answersIn(history, baseline, 'control'));
  const now = median(answersIn(history, after, 'control'));
  return wasCalm(history) && now.upper <= steadyFactor * was.lower;
}

function median(answers: readonly AnswerEvent[]) {
  return quantileBounds(ascending(answers.map(latencyMs)), 0.5);
}
