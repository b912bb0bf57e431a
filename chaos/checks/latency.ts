// Bound 8: in every phase, p99 from the scheduled send time is under the promise, decided by order statistics.
//
// pass      the upper 95 % bound of p99 is under the limit. The bound takes answers to be independent, and slow ones come
//           together. Where the control is slow as well, so that a few moments decide, it is widened by as much
// fail      its lower bound is not, while the control arm's p99 in the same phase is, and even its upper bound is below:
//           the two arms differ, and not by chance. Nor by a few stalls: the bounds take answers to be independent, but
//           a machine that holds up one process makes all its answers of that moment late, and the other arm may see
//           nothing of it. So it has to fail without its three worst moments as well, and the control has to be quick
//           over the whole run: where noise makes it slow in other phases, it is not this one's limiter that was slow.
//           Where the control itself is not far below the limit, the lower bound has to be far beyond the control's p99.
//           A p99 of seconds, far beyond the control's slowest answer of the run, is no noise in any case. Where the machine
//           stands still so often that the control's p99 tells of it, nothing less can be told from noise, whatever the limit
// unknown   anything else: too few answers, a generator that ran late, a machine too noisy to tell

import { type AnswerEvent, answersIn, type History, latencyMs, type Phase, phasesByName } from '../history.ts';
import type { PhaseName } from '../scenario.ts';
import { controlP99Ms, farBeyondFactor, latenessOf, wasCalm, worstControlMs } from './calm.ts';
import { type Check, type CheckResult, notApplicable, type Verdict } from './check.ts';
import { isExcusedIn } from './excuses.ts';
import { ascending, designEffect, quantile, quantileBounds, toMicroseconds } from './quantile.ts';

const answersMin = 500;
const lagMsMax = 2;
/** Noise that takes the control over this share of the limit takes the other arm, at times, over all of it. */
export const noisyShare = 0.5;
/** So many times what noise does to the control it does not do to the other arm. */
const farFactor = 6;
/** From this p99 of the control on it is the machine that stands still: seen to hold up one arm for five times as long as the other. */
const standstillMs = 15;
/** Nor does it, whatever the control's p99 is, take the p99 of the other arm to seconds, so far beyond its slowest answer. */
const farMs = 1000;
/** How long one process of the lab was held up on two busy cores while the others ran on: at most this often a phase. */
const stall = { ms: 50, count: 3 };
/** A machine that held the control up for some time may hold another process up for so many times as long. */
const stallFactor = 3;
/** Slow answers from this quantile on tell how far they come together: of those beyond p99 there are too few. */
const clusteredFrom = 0.95;

export const latency: Check = {
  name: 'latency',
  property: 'p99 from the scheduled time is under 9 ms in every phase, `onset` too',
  needs: [],
  judge: (history: History): CheckResult[] =>
    history.phases.length > 0
      ? [...phasesByName(history)].map(([name, stretches]) => judgePhase(history, name, stretches))
      : [
          {
            name: 'latency',
            phase: 'all',
            verdict: 'unknown',
            measured: null,
            limit: null,
            unit: 'ms',
            detail: 'no phase',
          },
        ],
};

function judgePhase(history: History, name: PhaseName, stretches: readonly Phase[]): CheckResult {
  const limit = history.run.bounds.p99Ms;
  const isExcused = isExcusedIn(history, 'when');
  const all = answersIn(history, stretches, 'faulted');
  const answers = all.filter((answer) => !isExcused(answer));
  if (all.length > 0 && answers.length === 0) return notApplicable('latency', 'every front link was broken', name);
  const latencies = ascending(answers.map(latencyMs));
  const p99 = quantileBounds(latencies, 0.99);
  const controlMs = ascending(answersIn(history, stretches, 'control').map(latencyMs));
  const control = quantileBounds(controlMs, 0.99);
  const controlUpper = Math.min(control.upper, controlMs.at(-1) ?? Number.NaN); // of too few for a bound, the slowest
  const lagP99 = quantile(ascending(answers.map(lagMs)), 0.99);
  const answered = answers.filter(({ status }) => status !== 0).length;

  const state = (verdict: Verdict, detail: string): CheckResult => ({
    name: 'latency',
    phase: name,
    verdict,
    measured: Number.isFinite(p99.estimate) ? toMicroseconds(p99.estimate) : null,
    limit,
    unit: 'ms p99',
    detail,
  });
  const bounds = `95 % bounds ${ms(p99.lower)} to ${ms(p99.upper)}, control ${ms(control.estimate)}`;
  if (answered < answersMin) return state('unknown', `${answered} answers; at least ${answersMin} are needed`);
  if (lagP99 > lagMsMax) return state('unknown', `the generator ran ${ms(lagP99)} late (p99); at most ${lagMsMax} ms`);
  if (p99.upper < limit) {
    if (wasCalm(history) && control.estimate < limit) return state('pass', bounds);
    const { upper } = quantileBounds(latencies, 0.99, clustering(answers));
    if (upper < limit) return state('pass', bounds);
    return state('unknown', `cannot tell, the control is slow and slow answers come together: ${bounds}`);
  }
  const isFarBeyond = p99.lower >= Math.max(limit, farMs, farBeyondFactor * worstControlMs(history));
  const differ = p99.lower >= limit && control.estimate < limit && controlUpper <= p99.lower;
  if (!differ && !isFarBeyond) return state('unknown', `cannot tell: ${bounds}`);
  if (!wasCalm(history) && !isFarBeyond)
    return state('unknown', `cannot tell, the control was slow in other phases: ${bounds}`);
  const noiseMs = Math.max(control.estimate, controlP99Ms(history));
  if (noiseMs >= noisyShare * limit && p99.lower < farFactor * noiseMs)
    return state('unknown', `cannot tell from the noise that the control had as well: ${bounds}`);
  if (noiseMs >= standstillMs && !isFarBeyond)
    return state('unknown', `cannot tell from a machine that stood still for the control as well: ${bounds}`);
  const stallMs = isFarBeyond ? stall.ms : Math.max(stall.ms, stallFactor * worstControlMs(history));
  const rest = quantileBounds(ascending(withoutStalls(answers, limit, stallMs).map(latencyMs)), 0.99);
  if (!(rest.lower >= limit))
    return state('unknown', `cannot tell from ${stall.count} stalls of ${latenessOf(stallMs)}: ${bounds}`);
  return state('fail', bounds);
}

/** How far slow answers come together in windows, as a design effect. */
function clustering(answers: readonly AnswerEvent[]): number {
  const slowMs = quantile(ascending(answers.map(latencyMs)), clusteredFrom);
  const windows = [...Map.groupBy(answers, windowsOf(stall.ms)).values()];
  return designEffect(
    windows.map((its) => ({ count: its.length, cases: its.filter((it) => latencyMs(it) >= slowMs).length })),
  );
}

/** The answers outside of the windows in which the most were at the limit or over it. */
function withoutStalls(answers: readonly AnswerEvent[], limit: number, stallMs: number): AnswerEvent[] {
  const windowOf = windowsOf(stallMs);
  const slow = new Map<number, number>();
  for (const answer of answers) {
    if (latencyMs(answer) >= limit) slow.set(windowOf(answer), (slow.get(windowOf(answer)) ?? 0) + 1);
  }
  const worst = [...slow].sort(([, a], [, b]) => b - a).slice(0, stall.count);
  const left = new Set(worst.map(([window]) => window));
  return answers.filter((answer) => !left.has(windowOf(answer)));
}

function windowsOf(ms: number): (answer: AnswerEvent) => number {
  return ({ scheduledMs }) => Math.floor(scheduledMs / ms);
}

function lagMs({ sentMs, scheduledMs }: AnswerEvent): number {
  return sentMs - scheduledMs;
}

function ms(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)} ms` : 'no answer';
}
