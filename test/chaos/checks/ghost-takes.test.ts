import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ghostTakes } from '../../../chaos/checks/ghost-takes.ts';
import type { AnswerEvent, History } from '../../../chaos/history.ts';
import { trueBucket } from '../../support/history-bucket.ts';
import { type HistorySpec, historyWith } from '../../support/history-builder.ts';
import { answer, fault, move } from '../../support/history-events.ts';

// Buckets of 10 tokens that refill 2 a second, fallbacks of 5 that refill 1.
const judge = (answers: readonly AnswerEvent[], spec: HistorySpec = {}) =>
  ghostTakes.judge(historyWith(answers, { fault: null, ...spec }));
const told = (atMs: number, left: number | null, changes: Partial<AnswerEvent> = {}) =>
  answer(atMs, { remaining: left, ...changes });
const fallback = { source: 'local' } as const;

describe('the check of ghost takes', () => {
  it('passes a bucket that loses a token for each answer', () => {
    expect(judge([told(0, 9), told(100, 8), told(200, 7), told(2000, 9)])).toEqual([
      {
        name: 'ghost-takes',
        phase: 'all',
        verdict: 'pass',
        measured: 0,
        limit: 0,
        unit: 'answers',
        detail: '4 answers of Redis, none of which misses a token',
      },
    ]);
  });

  it('fails a bucket that lost a token more than was answered', () => {
    expect(judge([told(0, 9), told(100, 7)])).toMatchObject([
      { verdict: 'fail', measured: 1, detail: 'key k0 was told 7 at 0.100 s; at least 8.20 must have been left' },
    ]);
  });

  it('fails two tokens that are gone before the first answer', () => {
    expect(judge([told(0, 7)])).toMatchObject([{ verdict: 'fail' }]);
    expect(judge([told(0, 8)])).toMatchObject([{ verdict: 'pass' }]); // told rounded down, from just under 9
  });

  it('charges a request once that Redis may have heard without being heard itself', () => {
    const unheard = told(50, 4, fallback);
    expect(judge([told(0, 9), unheard, told(100, 7)])).toMatchObject([{ verdict: 'pass' }]);
    expect(judge([told(0, 9), unheard, told(100, 6)])).toMatchObject([{ verdict: 'fail' }]);
    const lost = told(50, null, { source: null, status: 0 });
    expect(judge([told(0, 9), lost, told(100, 7)])).toMatchObject([{ verdict: 'pass' }]);
  });

  it('does not charge a request that an open breaker kept from Redis', () => {
    const breaker = [move('limiter-1', 1000, 'closed', 'open'), move('limiter-1', 2000, 'open', 'half-open')];
    const answers = [told(0, 9), told(1500, 4, fallback), told(2600, 7)];
    expect(judge(answers)).toMatchObject([{ verdict: 'pass' }]);
    expect(judge(answers, { breaker })).toMatchObject([{ verdict: 'fail' }]);
  });

  it('charges what is under way at the same time', () => {
    const underWay = told(0, 9, { receivedMs: 300 });
    expect(judge([underWay, told(100, 8)])).toMatchObject([{ verdict: 'pass' }]);
    expect(judge([underWay, told(100, 6)])).toMatchObject([{ verdict: 'fail' }]);
  });

  it('judges neither refusals nor fallbacks, and no bucket that a replica goes on with', () => {
    expect(judge([told(0, 9), told(10, 0, { status: 429 }), told(20, 0, fallback)])).toMatchObject([
      { verdict: 'pass' },
    ]);
    const withLoss = (state: 'lost' | 'perhaps-lost') =>
      judge([told(0, 9), told(1000, 3)], { faults: [fault('inject', 500, { state })] });
    expect(withLoss('lost')).toMatchObject([{ verdict: 'fail' }]);
    expect(withLoss('perhaps-lost')).toMatchObject([{ verdict: 'pass' }]);
  });

  it('is unknown where Redis never tells what remains', () => {
    expect(judge([told(0, null), told(10, 4, fallback)])).toMatchObject([{ verdict: 'unknown' }]);
  });

  it('passes whatever a true bucket tells, and fails one that counts a take three times', () => {
    const historyOf = (
      bucket: { capacity: number; refillPerSecond: number },
      answers: readonly AnswerEvent[],
    ): History => historyWith(answers, { fault: null, bounds: bucket });
    fc.assert(
      fc.property(trueBucket, (bucket) => {
        const answers = bucket.answers.map((it) => ({
          ...it,
          remaining: Math.floor(it.level - (it.status === 200 ? 1 : 0)),
        }));
        expect(ghostTakes.judge(historyOf(bucket, answers))[0]?.verdict).not.toBe('fail');
        const [first] = answers;
        fc.pre(first !== undefined && (first.remaining ?? 0) >= 2);
        const thrice = [{ ...first, remaining: (first.remaining ?? 0) - 2 } as AnswerEvent];
        expect(ghostTakes.judge(historyOf(bucket, thrice))).toMatchObject([{ verdict: 'fail' }]);
      }),
      { seed: 42 },
    );
  });
});
