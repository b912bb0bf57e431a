// Which answers are no doing of the limiter. An instance that is dead or stands still answers nothing. A broken front link may
// hold an answer up, or lose it; the requests that waited meanwhile crowd the link once it is healed. It is the same with an
// instance that takes no new connection, or gets too little processor time: its answers say what they always do.
//
// A machine may be why there is no answer as well: it is slow to start a process, and one that has just come back takes the
// crowd of new connections one by one. Node takes one in each turn of its event loop; where it gets a processor ten times a
// second, a hundred of them take ten seconds.

import { failureOf, giveUpMs } from '../failure.ts';
import type { AnswerEvent, History } from '../history.ts';
import { healMs } from '../scenario.ts';
import { farBeyondFactor, wasCalm, worstControlMs } from './calm.ts';
import { absencesOf, isHoldingUp, lateReturnsIn, returnsIn, type Window, windowsOf } from './windows.ts';

/** What of an answer is judged: what it says, and that there is one; or when it came. */
type Judged = 'what' | 'when';

type Predicate = (answer: AnswerEvent) => boolean;

/**
 * Whether nothing may be concluded from an answer. All of one is excused that was with an instance while that could not
 * answer. Of one that was held up, only when it came is, and that there is none.
 */
export function isExcusedIn(history: History, judged: Judged): Predicate {
  const [isByFault, isPerhapsNoise] = [isByFaultIn(history, judged), isPerhapsNoiseIn(history)];
  return (answer) => isByFault(answer) || isPerhapsNoise(answer);
}

/** Whether a fault is why it is as it is. */
export function isByFaultIn(history: History, judged: Judged): Predicate {
  const [isWithAbsent, isHeldUp] = [withAbsent(history), heldUp(history, judged)];
  return (answer) => isWithAbsent(answer) || isHeldUp(answer);
}

/**
 * Whether there is no answer, and the machine may be why. It was sent to an instance that was late to answer again, and did;
 * on a machine that was not calm, also to one that did not before the run was over. Or its client gave it up after a time
 * that noise may take; on such a machine, after any time when the instance had just come back.
 */
export function isPerhapsNoiseIn(history: History): Predicate {
  const isCalm = wasCalm(history);
  const lateIn = isCalm ? lateReturnsIn : returnsIn;
  const late = new Map(history.run.instances.map(({ name }) => [name, lateIn(history, name)]));
  const noiseMs = farBeyondFactor * worstControlMs(history);
  const absences = new Map(
    history.run.instances.map(({ name }) => [name, [...absencesOf(history, name), ...(late.get(name) ?? [])]]),
  );
  const isCrowded = ({ instance, sentMs }: AnswerEvent) =>
    absences.get(instance)?.some(({ startMs, endMs }) => sentMs >= startMs && sentMs < endMs + healMs) === true;
  return (answer) => {
    const { instance, status, sentMs, receivedMs } = answer;
    if (status !== 0) return false;
    if (late.get(instance)?.some(({ startMs, endMs }) => sentMs >= startMs && sentMs < endMs)) return true;
    // A client that gives up late has waited no longer for that: then it had no processor itself.
    const waitedMs = Math.min(receivedMs - sentMs, giveUpMs);
    return failureOf(answer) === 'timed out' && (waitedMs < noiseMs || (!isCalm && isCrowded(answer)));
  };
}

function withAbsent(history: History): Predicate {
  const absences = new Map(history.run.instances.map(({ name }) => [name, absencesOf(history, name)]));
  return ({ instance, sentMs, receivedMs }) =>
    absences.get(instance)?.some(({ startMs, endMs }) => sentMs < endMs && receivedMs >= startMs) ?? false;
}

function heldUp(history: History, judged: Judged): Predicate {
  const windows = windowsOf(history)
    .filter(isHoldingUp)
    .map((window) => ({ ...window, untilMs: crowdedUntilMs(history, window.healedMs) }));
  return (answer) =>
    windows.some(
      (it) =>
        it.target === answer.instance &&
        answer.scheduledMs < it.untilMs &&
        answer.receivedMs >= it.beginMs &&
        (judged === 'when' || mayHaveNone(it, answer)),
    );
}

/** Of an instance that is only slow, no more is lost than what its client gave up. */
function mayHaveNone({ effect }: Pick<Window, 'effect'>, answer: AnswerEvent): boolean {
  return answer.status === 0 && (effect !== 'starved' || failureOf(answer) === 'timed out');
}

/** When `recovered` begins. */
function crowdedUntilMs({ phases }: History, healedMs: number): number {
  const usualMs = healedMs + healMs;
  const late = phases.find(({ name, startMs, endMs }) => name === 'heal' && startMs <= usualMs && usualMs < endMs);
  return late?.endMs ?? usualMs;
}
