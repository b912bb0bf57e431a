import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usualDriftRatio } from '../../../chaos/bounds.ts';
import { overstatedIn, remaining } from '../../../chaos/checks/remaining.ts';
import type { Source } from '../../../chaos/checks/sources.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import { type TrueBucket, trueBucket } from '../../support/history-bucket.ts';
import { historyWith } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

// Buckets of 10 tokens that refill 2 a second, fallbacks of 5 that refill 1.
const judge = (...answers: AnswerEvent[]) => remaining.judge(historyWith(answers));
const told = (atMs: number, left: number | null, changes: Partial<AnswerEvent> = {}) =>
  answer(atMs, { remaining: left, ...changes });
const refused = { status: 429 };

/** Answers of a bucket that is right, with what each of them tells. */
function sourceOf({ capacity, refillPerSecond, answers }: TrueBucket): Source {
  const withRemaining = answers.map((it) => ({ ...it, remaining: Math.floor(it.level - (it.status === 200 ? 1 : 0)) }));
  const admits = withRemaining.filter(({ status }) => status === 200);
  const rejects = withRemaining.filter(({ status }) => status === 429);
  return {
    name: 'the store',
    key: 'k0',
    isFallback: false,
    capacity,
    refillPerSecond,
    driftRatio: usualDriftRatio,
    admits,
    rejects,
    uncertain: [],
    told: [],
    emptied: [],
    former: undefined,
    mayContinue: false,
  };
}

describe('the remaining check', () => {
  it('does not judge the fallbacks when there are more keys than they keep buckets for, since strangers may share one then', () => {
    const answers = [told(0, 0, { ...refused, source: 'local' }), told(100, 4, { source: 'local' })];
    const judged = (its: AnswerEvent[], fallbackKeysMax: number) =>
      remaining.judge(historyWith(its, { bounds: { fallbackKeysMax } }))[0]?.verdict;
    expect([1000, 50].map((keysMax) => judged([...answers, told(0, 9)], keysMax))).toEqual(['fail', 'pass']);
    expect(judged([told(0, 0, refused), told(100, 4)], 50)).toBe('fail');
  });

  it('passes a bucket that is told down to its end, refused, and told again as it refills', () => {
    const down = Array.from({ length: 10 }, (_, i) => told(i * 5, 9 - i));
    expect(judge(...down, told(60, 0, refused), told(1100, 1), told(1200, 0))).toEqual([
      {
        name: 'remaining',
        phase: 'all',
        verdict: 'pass',
        measured: 0,
        limit: 0,
        unit: 'tokens too many',
        detail: '13 answers, none of which tells of a token too many',
      },
    ]);
  });

  it.each([null, -1, Number.NaN])('fails an answer that tells %s, whatever the control tells', (left) => {
    const control = told(0, 9, { instance: 'limiter-control' });
    const what = left === null ? 'no figure' : String(left);
    expect(judge(control, told(10, 9), told(500, left))).toMatchObject([
      { verdict: 'fail', detail: `1 answers do not report what remains; first: limiter-1 reported ${what} at 0.500 s` },
    ]);
    expect(judge(told(0, 9), told(10, left, { instance: 'limiter-control' }))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('fails an admission that leaves the bucket full', () => {
    expect(judge(told(500, 10))).toMatchObject([
      { verdict: 'fail', measured: 1, detail: 'the store told key k0 10 at 0.500 s; at most 9.00 can be' },
    ]);
  });

  it('fails a bucket that is told anew although it had no time to refill', () => {
    const [result] = judge(told(0, 3), told(100, 9));
    // Less than 4 after the first, 0.2 of refill, one taken.
    expect(result).toMatchObject({ verdict: 'fail', measured: expect.closeTo(5.797, 2) });
    expect(judge(told(0, 3), told(3500, 9))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('fails a bucket that never tells of fewer', () => {
    expect(judge(told(0, 8), told(10, 8), told(20, 8))).toMatchObject([
      { verdict: 'fail', detail: 'the store told key k0 8 at 0.020 s; at most 7.04 can be' },
    ]);
  });

  it('fails a refusal that tells of what an earlier one denies', () => {
    expect(judge(told(0, 0, refused), told(10, 2, refused))).toMatchObject([{ verdict: 'fail' }]);
  });

  it('passes answers in the other order when they were under way at the same time', () => {
    expect(judge(told(0, 3, { receivedMs: 50 }), told(20, 9, { receivedMs: 30 }))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('judges each key, each fallback and the control by itself', () => {
    const fallback = { source: 'local' } as const;
    const answers = [
      told(0, 2),
      told(10, 9, { key: 'k1' }),
      told(20, 4, fallback),
      told(30, 4, { ...fallback, instance: 'limiter-2' }),
      told(40, 9, { instance: 'limiter-control' }),
    ];
    expect(judge(...answers)).toMatchObject([{ verdict: 'pass' }]);
    expect(judge(...answers, told(50, 5, fallback))).toMatchObject([
      { verdict: 'fail', detail: 'fallback of limiter-1 told key k0 5 at 0.050 s; at most 4.00 can be' },
    ]);
  });

  it('begins anew with a Redis that lost its buckets, whose refusals may still be those of the lost one', () => {
    const faults = [fault('inject', 1000, { state: 'lost' })];
    const lost = [told(900, 0), told(1100, 0, refused), told(1200, 9)];
    expect(remaining.judge(historyWith(lost, { faults }))).toMatchObject([{ verdict: 'pass' }]);
    expect(remaining.judge(historyWith(lost))).toMatchObject([{ verdict: 'fail' }]);
    expect(remaining.judge(historyWith([...lost, told(1300, 9), told(1400, 9)], { faults }))).toMatchObject([
      { verdict: 'fail' },
    ]);
  });

  it('is unknown when no answer tells what remains', () => {
    expect(judge()).toMatchObject([{ verdict: 'unknown', measured: null, detail: 'no answer tells what remains' }]);
    expect(judge(told(0, null), told(10, null))).toMatchObject([{ verdict: 'unknown' }]);
  });
});

describe('what is told too much', () => {
  it('is never found in the answers of a true bucket', () => {
    fc.assert(
      fc.property(trueBucket, (bucket) => {
        expect(overstatedIn(sourceOf(bucket))).toBeUndefined();
      }),
      { numRuns: 1000, seed: 42 },
    );
  });

  it('is always found where one answer of a true bucket tells of more than its capacity leaves', () => {
    fc.assert(
      fc.property(trueBucket, fc.nat(), (bucket, which) => {
        const source = sourceOf(bucket);
        const liar = source.admits[which % source.admits.length] as AnswerEvent;
        const admits = source.admits.map((it) => (it === liar ? { ...it, remaining: bucket.capacity } : it));
        expect(overstatedIn({ ...source, admits })?.tokens).toBeGreaterThanOrEqual(1 - 1e-6);
      }),
      { seed: 42 },
    );
  });
});
