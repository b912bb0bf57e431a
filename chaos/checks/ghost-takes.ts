// No token is gone from Redis that no request took: what Redis says is left is not less than its answers account for.
//
//   told 8 ──── told 5, though one request was answered between: two tokens are gone
//
// It is the other side of `remaining`. Every take counts that Redis may have executed without its answer being heard, as
// often as a request was made: once. So a take that is sent again and counts twice is one too many.

import type { AnswerEvent, History } from '../history.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { lowestLevels, surelyOne } from './lowest-level.ts';
import { type Source, sourcesOf } from './sources.ts';

const name = 'ghost-takes';

export const ghostTakes: Check = {
  name,
  property: 'no token is gone from Redis that no request can have taken',
  needs: ['source', 'remaining'],
  judge(history: History): CheckResult[] {
    const state = (verdict: Verdict, measured: number | null, detail: string): CheckResult[] => [
      { name, phase: 'all', verdict, measured, limit: 0, unit: 'answers', detail },
    ];
    const judged = sourcesOf(history).filter(isJudged);
    const reports = judged.reduce((sum, source) => sum + reporting(source).length, 0);
    if (reports === 0) return state('unknown', null, 'no answer of Redis tells what remains');
    const [first, ...others] = judged
      .flatMap((source) => missingIn(source))
      .sort((a, b) => a.answer.receivedMs - b.answer.receivedMs);
    if (!first) return state('pass', 0, `${reports} answers of Redis, none of which misses a token`);
    const { answer, level } = first;
    const told = `key ${answer.key} was told ${answer.remaining} at ${(answer.sentMs / 1000).toFixed(3)} s`;
    return state('fail', 1 + others.length, `${told}; at least ${level.toFixed(2)} must have been left`);
  },
};

/** Of a bucket that a replica goes on with, or an older copy, nobody knows what was in it. */
function isJudged({ isFallback, mayContinue, former }: Source): boolean {
  return !isFallback && !mayContinue && !former?.mayContinue;
}

/** Refusals are judged by `needless-refusal`: one may be repeated without asking Redis. */
function reporting({ admits }: Source): AnswerEvent[] {
  return admits.filter(({ remaining }) => remaining !== null && remaining >= 0);
}

/** Told in whole tokens, so nearly one more may be left. */
function missingIn(source: Source) {
  return lowestLevels(source, reporting(source)).filter(
    ({ answer, level }) => level >= (answer.remaining ?? 0) + surelyOne - 1e-9,
  );
}
