// Which answers of the fallback a stall explains that the control did not feel, and which it does not.
//
// A stall of an instance's own way to Redis makes its calls late, and may open its breaker. Then the fallback rightly
// answers, until a probe is answered: a *lapse*. Noise makes some. It does not make one after another where the control, on
// the same machine, has next to none; nor does it fail the two probes of an instance that come a second apart.

import type { AnswerEvent, History } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import { isWithoutStore } from './store-failure.ts';

/** Lapses that a calm machine may have, for each instance: some, and one more each second. Many times what was measured. */
const lapsesMin = 3;
const lapsesPerSecond = 1;
/** For each that the control has. */
const lapsesPerControls = 3;
/** Lapses that begin sooner after another are of the same stall. */
const stallMs = 50;

/** Why no stall explains it, as a sentence without its full stop; undefined where one may. */
export function unexplained(
  history: History,
  answers: readonly AnswerEvent[],
  controls: readonly AnswerEvent[],
): string | undefined {
  const limitMs = twoOpeningsMs(history.run.bounds);
  const ofControl = lapsesIn(controls).length;
  for (const [instance, its] of Map.groupBy(answers, (answer) => answer.instance)) {
    const lapses = lapsesIn(its);
    const longestMs = Math.max(0, ...lapses.map(({ fromMs, toMs }) => toMs - fromMs));
    if (longestMs > limitMs) return `${instance} was without Redis for ${(longestMs / 1000).toFixed(1)} s`;
    const most = lapsesMin + lapsesPerSecond * secondsOf(its) + lapsesPerControls * ofControl;
    if (lapses.length > most)
      return `${instance} turned to its fallback ${lapses.length} times, the control ${ofControl} times`;
  }
  return undefined;
}

/** The failures that it takes, and the longest wait for a probe. */
export function oneOpeningMs({ breakerResetMs, resetJitterRatio, redisTimeoutMs, breakerFailures }: Bounds): number {
  return (breakerFailures + 1) * redisTimeoutMs + breakerResetMs * (1 + resetJitterRatio);
}

/** The probe that ends the first fails. */
function twoOpeningsMs(bounds: Bounds): number {
  return 2 * oneOpeningMs(bounds) + stallMs;
}

interface Lapse {
  readonly fromMs: number;
  toMs: number;
}

/** Of one instance. The sendings tell how long it lasted: what was sent while a process stood still is answered at once after. */
function lapsesIn(answers: readonly AnswerEvent[]): Lapse[] {
  const lapses: Lapse[] = [];
  let isOver = true;
  for (const { source, sentMs, receivedMs } of answers.toSorted((a, b) => a.sentMs - b.sentMs)) {
    if (source === 'shared') isOver = true;
    if (!isWithoutStore({ source })) continue;
    const last = lapses.at(-1);
    if (last && (!isOver || sentMs - last.toMs < stallMs)) last.toMs = Math.max(last.toMs, sentMs);
    else lapses.push({ fromMs: receivedMs, toMs: sentMs });
    isOver = false;
  }
  return lapses;
}

function secondsOf(answers: readonly AnswerEvent[]): number {
  const [first, last] = [answers[0], answers.at(-1)];
  return first && last ? (last.scheduledMs - first.scheduledMs) / 1000 : 0;
}
