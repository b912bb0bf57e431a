// Bound 4: every answer of a bucket reports the tokens left, as far as the control's answers of its kind do, and never more than an
// earlier answer and the refill allow:
//
//   remaining_b ≤ min(B, remaining_a + r·Δ) − c_b    for any two answers a, b of one bucket, a before b
//
// `remaining` is told in whole tokens, so after a there were less than remaining_a + 1. Between the two lie other takes;
// those that were certainly admitted after a and before b count as well. Instants are the kindest: a decided as early, b
// as late as sending and receipt allow, and only an answer received before the request was sent counts as earlier.

import { type AnswerEvent, type History, isAllowed, isControl, isDenied } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { unsharedOf } from './crowded.ts';
import { type Source, sourcesOf } from './sources.ts';

const roundingTokens = 1e-6;

export const remaining: Check = {
  name: 'remaining',
  property: 'every answer reports the tokens left, and none more than an earlier answer and the refill allow',
  needs: ['source', 'remaining'],
  judge(history: History): CheckResult[] {
    let reports = 0;
    let worst: { source: Source; overstated: Overstated } | undefined;
    for (const source of unsharedOf(history, sourcesOf(history))) {
      reports += [...source.admits, ...source.rejects].filter((answer) => answer.remaining !== null).length;
      const overstated = overstatedIn(source);
      if (overstated && overstated.tokens > (worst?.overstated.tokens ?? 0)) worst = { source, overstated };
    }
    const silent = silentIn(history);
    const [unbacked, ...others] = history.answers.filter((it) => it.source === 'none' && it.remaining !== null);
    const state = (verdict: CheckResult['verdict'], measured: number | null, detail: string): CheckResult[] => [
      { name: 'remaining', phase: 'all', verdict, measured, limit: 0, unit: 'tokens too many', detail },
    ];
    const [first] = silent;
    if (unbacked) {
      const at = `at ${(unbacked.sentMs / 1000).toFixed(3)} s`;
      const detail = `${1 + others.length} answers report what remains of no bucket; first: ${unbacked.instance} reported ${unbacked.remaining} ${at}`;
      return state('fail', null, detail);
    }
    if (first) {
      const what = first.remaining === null ? 'no figure' : `${first.remaining}`;
      const at = `at ${(first.sentMs / 1000).toFixed(3)} s`;
      const detail = `${silent.length} answers do not report what remains; first: ${first.instance} reported ${what} ${at}`;
      return state('fail', worst?.overstated.tokens ?? null, detail);
    }
    if (reports === 0) return state('unknown', null, 'no answer tells what remains');
    if (!worst) return state('pass', 0, `${reports} answers, none of which tells of a token too many`);
    const { source, overstated } = worst;
    const { answer, tokens } = overstated;
    const at = `at ${(answer.sentMs / 1000).toFixed(3)} s`;
    const most = ((answer.remaining ?? 0) - tokens).toFixed(2);
    return state(
      'fail',
      tokens,
      `${source.name} told key ${source.key} ${answer.remaining} ${at}; at most ${most} can be`,
    );
  },
};

/** The decisions without a number of tokens that can be, where the control's decisions of that kind have one. */
function silentIn(history: History): AnswerEvent[] {
  const reports = ({ remaining }: AnswerEvent) => remaining !== null && remaining >= 0;
  const controls = history.answers.filter(({ instance }) => isControl(history, instance));
  return [isAllowed, isDenied].flatMap((isKind) => {
    if (!controls.some((answer) => isKind(answer) && reports(answer))) return [];
    return history.answers.filter(
      (answer) =>
        isKind(answer) &&
        answer.source !== null &&
        answer.source !== 'none' &&
        !isControl(history, answer.instance) &&
        !reports(answer),
    );
  });
}

export interface Overstated {
  readonly answer: AnswerEvent;
  /** Told beyond what can be; over 0. */
  readonly tokens: number;
}

/** The answer of one bucket that tells of the most tokens too many; undefined when none does. */
export function overstatedIn(source: Source): Overstated | undefined {
  const { capacity, admits, rejects, former } = source;
  const perMs = (source.refillPerSecond * (1 + source.driftRatio)) / 1000;
  const admitted = new Set(admits);
  const costOf = (answer: AnswerEvent) => (admitted.has(answer) ? 1 : 0);
  const answers = [...admits, ...rejects].filter((answer) => answer.remaining !== null);
  const bySending = answers.toSorted((a, b) => a.sentMs - b.sentMs);
  const byReceipt = answers.toSorted((a, b) => a.receivedMs - b.receivedMs);

  /** At `t` ≥ `sinceMs` the bucket holds at most `atZero + perMs · t`, and never more than its capacity. */
  let atZero = Number.POSITIVE_INFINITY;
  let sinceMs = Number.NEGATIVE_INFINITY;
  const learn = (answer: AnswerEvent) => {
    if (admitted.has(answer) && answer.sentMs >= sinceMs) atZero -= 1;
    // After a loss, an instance may repeat a refusal of the bucket that was lost.
    const says = admitted.has(answer) || former === undefined;
    if (says) atZero = Math.min(atZero, (answer.remaining ?? 0) + 1 - perMs * answer.sentMs);
    sinceMs = Math.max(sinceMs, answer.receivedMs);
  };

  let worst: Overstated | undefined;
  let next = 0;
  for (const answer of bySending) {
    for (let known = byReceipt[next]; known && known.receivedMs < answer.sentMs; known = byReceipt[++next])
      learn(known);
    const most = Math.min(capacity, atZero + perMs * answer.receivedMs) - costOf(answer);
    const tokens = (answer.remaining ?? 0) - most;
    if (tokens > Math.max(roundingTokens, worst?.tokens ?? 0)) worst = { answer, tokens };
  }
  return worst;
}
