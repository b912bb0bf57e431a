import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../../chaos/checks/retry-after.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import { trueBucket } from '../../support/history-bucket.ts';
import { historyWith } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

const judge = (...answers: AnswerEvent[]) => retryAfter.judge(historyWith(answers))[0];
const refused = (atMs: number, retryAfterS: number, changes: Partial<AnswerEvent> = {}) =>
  answer(atMs, { status: 429, retryAfterS, ...changes });

describe('the retry-after check', () => {
  it('does not judge the fallbacks when there are more keys than they keep buckets for, since strangers may share one then', () => {
    const local = { source: 'local' } as const;
    const judged = (its: AnswerEvent[], fallbackKeysMax: number) =>
      retryAfter.judge(historyWith(its, { bounds: { fallbackKeysMax } }))[0]?.verdict;
    const tooLong = [refused(0, 3, local), answer(1900, local)];
    const tooShort = [answer(0, local), refused(10, 1, local), refused(1020, 1, local)];
    for (const its of [tooLong, tooShort]) expect([1000, 50].map((max) => judged(its, max))).toEqual(['fail', 'pass']);
    expect(judged([refused(0, 3), answer(1900)], 50)).toBe('fail');
  });

  it('passes when whoever waits is admitted, and nobody a second before', () => {
    expect(judge(refused(0, 3), answer(2005), refused(2010, 3), answer(5100))).toEqual({
      name: 'retry-after',
      phase: 'all',
      verdict: 'pass',
      measured: 0,
      limit: 0,
      unit: 'answers',
      detail: '2 answers, none of which is seen to be wrong',
    });
  });

  it('fails when another request of the key is admitted more than a second before', () => {
    expect(judge(refused(0, 3), answer(1900))).toMatchObject({
      verdict: 'fail',
      measured: 1,
      detail: 'key k0 was told 3 s by the store at 0.000 s, and was admitted at 1.901 s',
    });
  });

  it('fails when who has waited is refused, though nothing was admitted since', () => {
    expect(judge(answer(0), refused(10, 1), refused(500, 1), refused(1020, 1))).toMatchObject({
      verdict: 'fail',
      measured: 1,
      detail: 'key k0 was told 1 s by the store at 0.010 s, and was refused at 1.020 s, with nothing admitted since',
    });
    expect(judge(answer(0), refused(10, 0), refused(20, 0))).toMatchObject({ verdict: 'fail', measured: 1 });
  });

  it('passes the second refusal when the token may have been taken by another, heard or not', () => {
    expect(judge(refused(10, 1), answer(900), refused(1020, 1))).toMatchObject({ verdict: 'pass' });
    expect(judge(refused(10, 1), answer(1019, { receivedMs: 1040 }), refused(1020, 1))).toMatchObject({
      verdict: 'pass',
    });
    const late = answer(5, { source: 'local' });
    expect(judge(late, refused(10, 1), refused(1020, 1))).toMatchObject({ verdict: 'pass' });
  });

  it('holds nothing against a bucket that another one told', () => {
    const fallback = { source: 'local' } as const;
    expect(judge(refused(0, 9), answer(100, fallback))).toMatchObject({ verdict: 'pass' });
  });

  it('holds nothing against a fallback that goes on from what Redis told its instance meanwhile', () => {
    const fallback = { source: 'local' } as const;
    const told = answer(2000, { source: 'shared', remaining: 0 });
    const judged = (...between: AnswerEvent[]) =>
      judge(refused(10, 1, fallback), ...between, refused(2500, 1, fallback))?.verdict;
    expect([judged(), judged(told)]).toEqual(['fail', 'pass']);
    const sooner = (...between: AnswerEvent[]) =>
      judge(refused(10, 9, fallback), ...between, answer(2500, fallback))?.verdict;
    expect([sooner(), sooner(told)]).toEqual(['fail', 'pass']);
  });

  it('holds nothing against what an instance remembers of a bucket that Redis has lost', () => {
    const kill = [fault('inject', 100, { fault: 'redis-kill', state: 'lost', target: 'redis', reach: 'shared-store' })];
    const answers = [refused(200, 9), answer(300)];
    expect(retryAfter.judge(historyWith(answers, { faults: kill }))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('is not applicable where nobody says when to ask again', () => {
    expect(judge(answer(0), answer(1, { status: 429 }))).toMatchObject({ verdict: 'not applicable' });
  });

  it('passes a true bucket that rounds up', () => {
    fc.assert(
      fc.property(trueBucket, ({ capacity, refillPerSecond, answers }) => {
        const told = answers.map(({ level, ...it }) =>
          it.status === 429 ? { ...it, retryAfterS: Math.ceil((1 - level) / refillPerSecond) } : it,
        );
        const [result] = retryAfter.judge(historyWith(told, { bounds: { capacity, refillPerSecond } }));
        expect(['pass', 'not applicable']).toContain(result?.verdict);
      }),
    );
  });
});
