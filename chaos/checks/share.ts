// Who answered: the share of a stretch's answers that came from where they should, and what may be concluded from it.

import { type AnswerEvent, answersIn, type History, latencyMs, type SourceKind, type Stretch } from '../history.ts';
import type { PhaseName } from '../scenario.ts';
import { latenessOf, wasCalm, worstControlMs } from './calm.ts';
import type { CheckResult, Verdict } from './check.ts';
import { isExcusedIn } from './excuses.ts';
import { oneOpeningMs, unexplained } from './lapses.ts';
import { ascending, quantile } from './quantile.ts';
import { asToldIn } from './store-failure.ts';

/** Of a stretch's answers, that have to come from where they should. */
export const shareMin = 0.99;
/** Less than this share from Redis is more than some stalls of a shared machine can explain. */
const stallShareMin = 0.5;

export interface Expectation {
  /** Of the check. */
  readonly name: string;
  /** The phase it is told for, and what of it is looked at. */
  readonly phase: PhaseName;
  readonly stretches: readonly Stretch[];
  /** `local`: from whoever answers without the store. */
  readonly from: SourceKind;
  /** Which answers of the faulted instances count; all do without it. */
  readonly counts?: (answer: AnswerEvent) => boolean;
  /** What passes, in words. */
  readonly detail: string;
  /** A fault makes the calls of these answers slower than the control's, and noise with it more often too slow. */
  readonly isSlowed?: boolean;
}

export function judgeShare(
  history: History,
  { name, phase, stretches, from, counts, detail, isSlowed = false }: Expectation,
): CheckResult {
  const isExcused = isExcusedIn(history, 'what');
  const answers = answersIn(history, stretches, 'faulted').filter((it) => !isExcused(it) && (counts?.(it) ?? true));
  const controls = answersIn(history, stretches, 'control');
  const isShared: Predicate = ({ source }) => source === 'shared';
  const isFrom = from === 'shared' ? isShared : asToldIn(history);
  const share = shareOf(answers, isFrom);
  const state = (verdict: Verdict, detail: string): CheckResult => {
    const measured = Number.isNaN(share) ? null : share * 100;
    return { name, phase, verdict, measured, limit: shareMin * 100, unit: '%', detail };
  };
  if (Number.isNaN(share)) return state('unknown', 'no answers');
  if (share >= shareMin) return state('pass', detail);
  const others = answers.filter((answer) => !isFrom(answer));
  if (others.length === 1)
    return state('unknown', `one of ${answers.length} answers is another's; of so few 99 % cannot be told`);
  if (from === 'local') {
    if (!mayBeSeenLate(history, others)) return state('fail', detail);
    const stall = latenessOf(worstControlMs(history));
    return state('unknown', `${detail}; the rest were held up, as the control was, by up to ${stall}`);
  }
  // A noisy machine delays store calls past their deadline, and then the fallback rightly answers.
  const controlShare = shareOf(controls, isShared);
  if (!(controlShare >= shareMin)) {
    return state('unknown', `of the control's answers only ${(controlShare * 100).toFixed(1)} % are from Redis either`);
  }
  const controlP99 = quantile(ascending(controls.map(latencyMs)), 0.99);
  if (controlP99 >= history.run.bounds.p99Ms) {
    return state('unknown', `the control's p99 is ${controlP99.toFixed(1)} ms: the machine is too busy to tell`);
  }
  if (!wasCalm(history)) return state('unknown', 'the control was slow over the whole run');
  const why = isSlowed ? undefined : unexplained(history, answers, controls);
  if (why !== undefined) return state('fail', `${detail}; ${why}`);
  // One stall of an instance's own path to Redis, which the control does not feel, rightly opens its breaker for a second.
  const lastedMs = stretches.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const isShort = oneOpeningMs(history.run.bounds) > (1 - stallShareMin) * lastedMs && turned(answers, isFrom) <= 1;
  if (share >= stallShareMin || isShort)
    return state('unknown', `${detail}; a stall of one link could explain the rest`);
  return state('fail', detail);
}

/**
 * Whether the machine may be why these had an answer of the store after all. A process that is held up finds a reply that
 * came late together with the deadline that it missed, and cannot tell which was first.
 */
function mayBeSeenLate(history: History, answers: readonly AnswerEvent[]): boolean {
  const { redisTimeoutMs } = history.run.bounds;
  const stallMs = wasCalm(history) ? 0 : worstControlMs(history);
  return answers.every((it) => latencyMs(it) <= stallMs && it.receivedMs - it.sentMs >= redisTimeoutMs);
}

type Predicate = (answer: AnswerEvent) => boolean;

function shareOf(answers: readonly AnswerEvent[], isFrom: Predicate): number {
  return answers.filter(isFrom).length / answers.length;
}

/** How many instances gave less than half from there: one link may stall, not all at once. */
function turned(answers: readonly AnswerEvent[], isFrom: Predicate): number {
  const byInstance = [...Map.groupBy(answers, ({ instance }) => instance).values()];
  return byInstance.filter((its) => shareOf(its, isFrom) < stallShareMin).length;
}
