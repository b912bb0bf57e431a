// Which answers are no doing of the limiter. An instance that is dead or stands still answers nothing. A broken front link may
// hold an answer up, or lose it; the requests that waited meanwhile crowd the link once it is healed.

import type { AnswerEvent, History } from '../history.ts';
import { healMs } from '../scenario.ts';
import { absencesOf, isOfFront, windowsOf } from './windows.ts';

/** What of an answer is judged: what it says, and that there is one; or when it came. */
type Judged = 'what' | 'when';

type Predicate = (answer: AnswerEvent) => boolean;

/**
 * Whether nothing may be concluded from an answer. All of one is excused that was with an instance while that could not
 * answer. Of one that a broken front link was on the way of, only when it came is, and that there is none.
 */
export function isExcusedIn(history: History, judged: Judged): Predicate {
  const [isWithAbsent, isThroughBroken] = [withAbsent(history), throughBrokenFront(history)];
  const hasNone = ({ status }: AnswerEvent) => status === 0;
  return (answer) => isWithAbsent(answer) || ((judged === 'when' || hasNone(answer)) && isThroughBroken(answer));
}

function withAbsent(history: History): Predicate {
  const absences = new Map(history.run.instances.map(({ name }) => [name, absencesOf(history, name)]));
  return ({ instance, sentMs, receivedMs }) =>
    absences.get(instance)?.some(({ startMs, endMs }) => sentMs < endMs && receivedMs >= startMs) ?? false;
}

function throughBrokenFront(history: History): Predicate {
  const windows = windowsOf(history)
    .filter(isOfFront)
    .map(({ target, beginMs, healedMs }) => ({ target, beginMs, untilMs: crowdedUntilMs(history, healedMs) }));
  return ({ instance, scheduledMs, receivedMs }) =>
    windows.some((it) => it.target === instance && scheduledMs < it.untilMs && receivedMs >= it.beginMs);
}

/** When `recovered` begins. */
function crowdedUntilMs({ phases }: History, healedMs: number): number {
  const usualMs = healedMs + healMs;
  const late = phases.find(({ name, startMs, endMs }) => name === 'heal' && startMs <= usualMs && usualMs < endMs);
  return late?.endMs ?? usualMs;
}
