// Bound 2: in any window, all instances together admit one key at most what its buckets may (fleet-bound.ts).
//
// A window is a stretch of one key's admissions, from any one of them to any later one in the order in which their clients
// knew of them, whatever their instances and sources are. All of these windows are judged. The decisions fell between the
// first sending and the last receipt, so each bucket's span reaches from the one to the other, and a loss of Redis's state
// counts if it may lie in between.

import { type AnswerEvent, type History, isAllowed, isControl } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import { BestStart } from './best-start.ts';
import type { Check, CheckResult } from './check.ts';
import { type BoundedBucket, bucketsOf, fleetBound, mostOf, type Span } from './fleet-bound.ts';
import { lossesBy, type StateLoss, stateLosses } from './sources.ts';

const roundingTokens = 1e-6;

export const fleet: Check = {
  name: 'fleet',
  property: 'in any window, all instances together admit one key no more than Redis and the fallbacks may',
  needs: ['source'],
  judge(history: History): CheckResult[] {
    const answers = history.answers.filter(({ instance }) => !isControl(history, instance));
    const losses = stateLosses(history);
    let worst: { key: string; window: Window } | undefined;
    for (const [key, admitted] of Map.groupBy(answers.filter(isAdmit), ({ key }) => key)) {
      const window = fullestWindow(admitted, history.run.bounds, losses);
      if (!worst || excessOf(window) > excessOf(worst.window)) worst = { key, window };
    }
    if (!worst) return [answers.length > 0 ? nothing('nothing was admitted') : nothing('no answers')];
    const { admitted, bound, fromMs, toMs } = worst.window;
    const at = `within ${(fromMs / 1000).toFixed(3)}–${(toMs / 1000).toFixed(3)} s`;
    const detail = `nearest to its bound: key ${worst.key}, ${admitted} admitted of at most ${bound.toFixed(1)} ${at}`;
    const verdict = excessOf(worst.window) > roundingTokens ? 'fail' : 'pass';
    return [{ name: 'fleet', phase: 'all', verdict, measured: admitted, limit: bound, unit: 'admitted', detail }];
  },
};

function nothing(detail: string): CheckResult {
  return { name: 'fleet', phase: 'all', verdict: 'unknown', measured: null, limit: null, unit: 'admitted', detail };
}

export interface Window extends Span {
  readonly admitted: number;
  readonly bound: number;
}

function excessOf({ admitted, bound }: Window): number {
  return admitted - bound;
}

/** One admission, among those of its key in the order of receipt. */
interface Admission {
  readonly answer: AnswerEvent;
  readonly bucket: BoundedBucket;
  /** Index of the one before from the same source; -1 at the first. */
  readonly before: number;
  /** When the first of this and all later ones of its source was sent. */
  sentMs: number;
  /** Losses of its bucket that may have come before it, and those that have surely come before `sentMs`. */
  readonly lossesUntil: number;
  lossesBefore: number;
}

/**
 * The window with the most beyond its bound, or nearest to it; of several the longest. `losses`: of the
 * buckets of all keys. O(n log n): as the end moves on, what an admission adds is the same for all starts up to the one before from its
 * source, whose span it stretches, and for all starts after that, whose first use of the source it is.
 */
export function fullestWindow(admitted: readonly AnswerEvent[], bounds: Bounds, losses: readonly StateLoss[]): Window {
  const admissions = inOrder(admitted, bounds, losses);
  const starts = new BestStart(admissions.length);
  let [from, to, most] = [0, 0, Number.NEGATIVE_INFINITY];
  admissions.forEach(({ answer, bucket, before, sentMs, lossesUntil, lossesBefore }, i) => {
    starts.begin(i);
    const earlier = admissions[before];
    if (earlier) {
      const { answer: last, lossesUntil: known } = earlier;
      starts.add(0, before, 1 - mostOf(bucket, answer.receivedMs - last.receivedMs, lossesUntil - known));
    }
    starts.add(before + 1, i, 1 - mostOf(bucket, answer.receivedMs - sentMs, 1 + lossesUntil - lossesBefore));
    const best = starts.best();
    if (best.value >= most - roundingTokens / 1000) [from, to, most] = [best.start, i, Math.max(most, best.value)];
  });
  return windowOf(admissions.slice(from, to + 1), bounds);
}

function inOrder(admitted: readonly AnswerEvent[], bounds: Bounds, losses: readonly StateLoss[]): Admission[] {
  const buckets = bucketsOf(bounds);
  const last = new Map<string, number>();
  const lossesBySource = lossesBy(losses);
  const lossesOf = (answer: AnswerEvent) => lossesBySource(answer.source === 'local' ? 'local' : 'shared', answer);
  const admissions = admitted
    .toSorted((a, b) => a.receivedMs - b.receivedMs)
    .map((answer, i): Admission => {
      const { sentMs, receivedMs } = answer;
      const isShared = answer.source === 'shared';
      const before = last.get(sourceOf(answer)) ?? -1;
      last.set(sourceOf(answer), i);
      const its = lossesOf(answer);
      const lossesUntil = its.filter(({ beginMs }) => beginMs <= receivedMs).length;
      return {
        answer,
        bucket: isShared ? buckets.shared : buckets.local,
        before,
        sentMs,
        lossesUntil,
        lossesBefore: 0,
      };
    });
  for (const admission of admissions.toReversed()) {
    const { answer, before, sentMs } = admission;
    admission.lossesBefore = lossesOf(answer).filter(({ endMs }) => endMs < sentMs).length;
    const earlier = admissions[before];
    if (earlier) earlier.sentMs = Math.min(earlier.sentMs, sentMs);
  }
  return admissions;
}

/** By the same formula as everywhere. */
function windowOf(admissions: readonly Admission[], bounds: Bounds): Window {
  const bySource = [...Map.groupBy(admissions, ({ answer }) => sourceOf(answer))];
  const spans = new Map(
    bySource.map(([source, its]) => {
      const [first, last] = [its[0] as Admission, its.at(-1) as Admission];
      return [
        source,
        { fromMs: first.sentMs, toMs: last.answer.receivedMs, losses: last.lossesUntil - first.lossesBefore },
      ];
    }),
  );
  const shared = spans.get(sharedSource);
  const locals = [...spans].flatMap(([source, span]) => (source === sharedSource ? [] : [span]));
  return {
    admitted: admissions.length,
    bound: fleetBound(bounds, { shared, losses: shared?.losses ?? 0, locals }),
    fromMs: Math.min(...[...spans.values()].map(({ fromMs }) => fromMs)),
    toMs: admissions.at(-1)?.answer.receivedMs ?? 0,
  };
}

const sharedSource = 'shared';

function sourceOf({ source, instance }: AnswerEvent): string {
  return source === 'shared' ? sharedSource : `fallback of ${instance}`;
}

export function isAdmit(answer: AnswerEvent): boolean {
  return (answer.source === 'shared' || answer.source === 'local') && isAllowed(answer);
}
