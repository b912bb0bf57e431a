import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admission, excessOf } from '../../../chaos/checks/admission.ts';
import { runChecks } from '../../../chaos/checks/check.ts';
import { fleet } from '../../../chaos/checks/fleet.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import type { Bounds } from '../../../chaos/scenario.ts';
import { trueBucket } from '../../support/history-bucket.ts';
import { buildHistory, historyWith, usualBounds } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

/** Admissions of one key at the same moment. */
const burst = (count: number, atMs: number, changes: Partial<AnswerEvent> = {}) =>
  Array.from({ length: count }, () => answer(atMs, { latencyMs: 0, receivedMs: atMs, ...changes }));

describe('the admission check', () => {
  it('passes a run in which each key asked once', () => {
    expect(admission.judge(buildHistory())).toEqual([
      {
        name: 'admission',
        phase: 'all',
        verdict: 'pass',
        measured: 0,
        limit: 0,
        unit: 'tokens too many',
        detail: '9000 buckets, none admitted a token too many',
      },
    ]);
  });

  it('passes a bucket that gives all it holds, and later what has refilled', () => {
    const [result] = admission.judge(historyWith([...burst(10, 0), ...burst(4, 2000), ...burst(10, 9000)]));
    expect(result).toMatchObject({ verdict: 'pass', measured: 0 });
  });

  it('fails the eleventh of ten tokens, and names the key and the window', () => {
    const [result] = admission.judge(historyWith(burst(11, 1000)));
    expect(result).toMatchObject({
      verdict: 'fail',
      measured: expect.closeTo(1, 6),
      detail: 'the store admitted 11 for key k0 within 1.000–1.000 s',
    });
  });

  it('fails a fallback bucket that gives more than its own, smaller capacity', () => {
    const [result] = admission.judge(historyWith(burst(6, 1000, { source: 'local' })));
    expect(result).toMatchObject({
      verdict: 'fail',
      measured: expect.closeTo(1, 6),
      detail: 'fallback of limiter-1 admitted 6 for key k0 within 1.000–1.000 s',
    });
  });

  it('allows a fallback bucket what a clock gains that a fault makes drift, and no more', () => {
    const refilled = (ratio: number) => {
      const everyMs = 1000 / usualBounds.fallbackRefillPerSecond / (1 + ratio);
      return Array.from({ length: 300 }, (_, i) => burst(1, (i + 1) * everyMs, { source: 'local' })).flat();
    };
    const verdictOf = (ratio: number, bounds: Partial<Bounds>) =>
      [admission, fleet].map((check) => {
        const answers = [...burst(5, 0, { source: 'local' }), ...refilled(ratio)];
        return check.judge(historyWith(answers, { bounds }))[0]?.verdict;
      });
    expect(verdictOf(0.01, {})).toEqual(['fail', 'fail']);
    expect(verdictOf(0.01, { clockDriftRatio: 0.01 })).toEqual(['pass', 'pass']);
    expect(verdictOf(0.02, { clockDriftRatio: 0.01 })).toEqual(['fail', 'fail']);
  });

  it('counts both instances against the one bucket in Redis, and the control against its own', () => {
    const shared = [...burst(6, 0), ...burst(5, 0, { instance: 'limiter-2' })];
    expect(admission.judge(historyWith(shared))).toMatchObject([{ verdict: 'fail', measured: expect.closeTo(1, 6) }]);
    const apart = [...burst(6, 0), ...burst(5, 0, { instance: 'limiter-control' })];
    expect(admission.judge(historyWith(apart))).toMatchObject([{ verdict: 'pass' }]);
  });

  describe('of a target that does not say who decided', () => {
    const silent = (answers: readonly AnswerEvent[], faults: Parameters<typeof fault>[] = []) => {
      const history = historyWith(
        answers.map((each) => ({ ...each, source: null })),
        { faults: faults.map((each) => fault(...each)) },
      );
      return runChecks([admission], { ...history, run: { ...history.run, gives: [] } });
    };

    it('passes what the store and the fallbacks of both instances may give together', () => {
      const all = [...burst(14, 0), ...burst(6, 0, { instance: 'limiter-2' })]; // 10 + 2 · 5
      expect(silent([...all, ...burst(4, 1000)])).toMatchObject([{ verdict: 'pass', measured: 0 }]); // 2 + 2 · 1 a second
    });

    it('fails one more, by key and window', () => {
      const all = [...burst(14, 0), ...burst(7, 0, { instance: 'limiter-2' })];
      expect(silent(all)).toMatchObject([
        {
          verdict: 'fail',
          measured: expect.closeTo(1, 6),
          detail: 'all instances together admitted 21 for key k0 within 0.000–0.000 s',
        },
      ]);
    });

    it('judges the control by itself: it has one fallback, and a store of its own', () => {
      const control = { instance: 'limiter-control' };
      expect(silent([...burst(20, 0), ...burst(15, 0, control)])).toMatchObject([{ verdict: 'pass' }]);
      expect(silent(burst(16, 0, control))).toMatchObject([{ verdict: 'fail', measured: expect.closeTo(1, 6) }]);
    });

    it('allows one more bucket for each time that the store lost its state', () => {
      const kill = ['inject', 1000, { fault: 'redis-kill', state: 'lost' }] as const;
      expect(silent(burst(30, 900), [[...kill]])).toMatchObject([{ verdict: 'pass' }]);
      expect(silent(burst(31, 900), [[...kill]])).toMatchObject([{ verdict: 'fail' }]);
    });

    it('counts what the target calls allowed, and nothing else', () => {
      const denied = burst(30, 0).map((each) => ({ ...each, outcome: 'denied' as const }));
      const failed = burst(30, 0, { status: 404 });
      expect(silent([...denied, ...failed, ...burst(1, 0)])).toMatchObject([{ verdict: 'pass' }]);
    });
  });

  it('begins a new bucket when Redis loses its state', () => {
    const kill = fault('inject', 1000, { fault: 'redis-kill', state: 'lost' });
    const answers = [...burst(10, 900), ...burst(10, 1100)];
    expect(admission.judge(historyWith(answers, { faults: [kill] }))).toMatchObject([{ verdict: 'pass' }]);
    expect(admission.judge(historyWith(answers))).toMatchObject([{ verdict: 'fail' }]);
  });

  it('does not charge an admission that was under way when Redis lost its state to the new bucket', () => {
    const flush = fault('inject', 1000, { fault: 'flush', beginMs: 1000, endMs: 1000, state: 'lost' });
    const answers = [...burst(9, 900), ...burst(1, 999, { receivedMs: 1001 }), ...burst(10, 1002)];
    expect(admission.judge(historyWith(answers, { faults: [flush] }))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('is unknown when nothing was admitted', () => {
    expect(admission.judge(historyWith([answer(0, { status: 429 })]))).toEqual([
      {
        name: 'admission',
        phase: 'all',
        verdict: 'unknown',
        measured: null,
        limit: 0,
        unit: 'tokens too many',
        detail: 'nothing was admitted',
      },
    ]);
  });
});

describe('the excess', () => {
  it('is none for what a true bucket admitted, however long the answers were under way', () => {
    fc.assert(
      fc.property(trueBucket, ({ capacity, refillPerSecond, answers }) => {
        const admits = answers.filter(({ status }) => status === 200);
        expect(excessOf(admits, capacity, refillPerSecond).tokens).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 500, seed: 42 },
    );
  });

  it('is none when an earlier, slower request was decided after a later, faster one', () => {
    // 1.9 tokens at 1,100 ms: the fast one takes one, and the slow one waits for the second to be whole.
    const before = answer(1000, { receivedMs: 1000 });
    const slow = answer(1900, { receivedMs: 2100 });
    const fast = answer(1910, { receivedMs: 1910 });
    expect(excessOf([before, slow, fast], 2, 1)).toMatchObject({ tokens: 0 });
  });

  it('is found whenever more than the capacity is admitted at once', () => {
    const capacities = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(capacities, fc.double({ min: 0.1, max: 100, noNaN: true }), (capacity, refillPerSecond) => {
        const { tokens, admitted } = excessOf(burst(capacity + 1, 500), capacity, refillPerSecond);
        expect({ tokens, admitted }).toEqual({ tokens: expect.closeTo(1, 6), admitted: capacity + 1 });
      }),
      { seed: 42 },
    );
  });

  it('equals the worst of all windows when every decision was instant', () => {
    fc.assert(
      fc.property(admissions(fc.constant(0)), ({ admits, capacity, refillPerSecond }) => {
        const { tokens } = excessOf(admits, capacity, refillPerSecond);
        expect(tokens).toBeCloseTo(worstWindow(admits, capacity, refillPerSecond), 6);
      }),
      { numRuns: 500, seed: 42 },
    );
  });

  it('equals the worst of all windows when decisions took their time', () => {
    fc.assert(
      fc.property(admissions(fc.integer({ min: 0, max: 300 })), ({ admits, capacity, refillPerSecond }) => {
        const { tokens } = excessOf(admits, capacity, refillPerSecond);
        expect(tokens).toBeCloseTo(worstWindow(admits, capacity, refillPerSecond), 6);
      }),
      { numRuns: 500, seed: 42 },
    );
  });
});

/** Any admissions at all, whether a bucket could have made them or not. */
function admissions(tookMs: fc.Arbitrary<number>) {
  return fc
    .record({
      capacity: fc.integer({ min: 1, max: 5 }),
      refillPerSecond: fc.constantFrom(1, 2, 10),
      times: fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), tookMs), { minLength: 1, maxLength: 25 }),
    })
    .map(({ times, ...bucket }) => ({
      ...bucket,
      admits: times.map(([sentMs, took]) => answer(sentMs, { receivedMs: sentMs + took })),
    }));
}

/** Over every window: the admissions that surely fell inside it, less what a bucket may give in it. */
function worstWindow(admits: readonly AnswerEvent[], capacity: number, refillPerSecond: number): number {
  let worst = 0;
  for (const { sentMs: fromMs } of admits) {
    for (const { receivedMs: toMs } of admits) {
      if (toMs < fromMs) continue;
      const inside = admits.filter(({ sentMs, receivedMs }) => sentMs >= fromMs && receivedMs <= toMs).length;
      worst = Math.max(worst, inside - capacity - ((toMs - fromMs) * refillPerSecond) / 1000);
    }
  }
  return worst;
}
