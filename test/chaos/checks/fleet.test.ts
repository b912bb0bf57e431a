import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fleet, fullestWindow } from '../../../chaos/checks/fleet.ts';
import { fleetBound, type Span } from '../../../chaos/checks/fleet-bound.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import { failover, placement } from '../../support/failover-history.ts';
import { type TrueBucket, trueBucket } from '../../support/history-bucket.ts';
import { buildHistory, historyWith, usualBounds } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

/** Admissions of one key, evenly from `fromMs` to `toMs`. */
const admits = (count: number, fromMs: number, toMs: number, changes: Partial<AnswerEvent> = {}) =>
  Array.from({ length: count }, (_, i) => {
    const atMs = fromMs + ((toMs - fromMs) * i) / Math.max(1, count - 1);
    return answer(atMs, { latencyMs: 0, ...changes });
  });

/** The most beyond the bound, by the definition: of each run of admissions in the order of receipt. */
function greatestExcess(answers: readonly AnswerEvent[]): number {
  const byReceipt = answers.toSorted((a, b) => a.receivedMs - b.receivedMs);
  const sourceOf = ({ source, instance }: AnswerEvent) => (source === 'shared' ? 'shared' : instance);
  let most = Number.NEGATIVE_INFINITY;
  for (let from = 0; from < byReceipt.length; from++) {
    for (let to = from; to < byReceipt.length; to++) {
      const spans = new Map<string, Span>();
      for (const [source, its] of Map.groupBy(byReceipt.slice(from, to + 1), sourceOf)) {
        const later = byReceipt.slice(from).filter((it) => sourceOf(it) === source);
        spans.set(source, {
          fromMs: Math.min(...later.map(({ sentMs }) => sentMs)),
          toMs: its.at(-1)?.receivedMs ?? 0,
        });
      }
      const shared = spans.get('shared');
      spans.delete('shared');
      most = Math.max(most, to + 1 - from - fleetBound(usualBounds, { shared, losses: 0, locals: spans.values() }));
    }
  }
  return most;
}

const fullest = (admitted: readonly AnswerEvent[]) => fullestWindow(admitted, usualBounds, []);

describe('the fleet check', () => {
  it('fails a window that admits too many, though over the whole run there would be room', () => {
    // Redis refilled 2/s for 100 s, and the bucket holds no more than 10 of it.
    const answers = [...admits(1, 0, 0), ...admits(25, 100_000, 100_000)];
    expect(fleet.judge(historyWith(answers))).toMatchObject([
      {
        verdict: 'fail',
        measured: 25,
        limit: 10,
        detail: 'nearest to its bound: key k0, 25 admitted of at most 10.0 within 100.000–100.000 s',
      },
    ]);
  });

  it('adds up what all sources admit within a window, and nothing that was spared before it', () => {
    const early = [...admits(1, 0, 0), ...admits(1, 0, 0, { instance: 'limiter-2', source: 'local' })];
    const fallback = admits(6, 60_000, 60_000, { instance: 'limiter-2', source: 'local' });
    const late = [...admits(11, 60_000, 60_000), ...fallback];
    expect(fleet.judge(historyWith([...early, ...late]))).toMatchObject([
      { verdict: 'fail', measured: 17, limit: 15 }, // 10 and 5
    ]);
  });

  it('counts a loss of state only in a window that it may lie in', () => {
    const kill = fault('inject', 100, { fault: 'redis-kill', state: 'lost', endMs: 200 });
    const judged = (atMs: number) => {
      return fleet.judge(historyWith(admits(20, atMs, atMs), { faults: [kill] }))[0];
    };
    expect(judged(150)).toMatchObject({ verdict: 'pass', measured: 20, limit: 20 }); // before it, and after it
    expect(judged(201)).toMatchObject({ verdict: 'fail', measured: 20, limit: 10 });
  });

  it('finds the same as a look at every single window', () => {
    const admission = fc.record({
      gapMs: fc.constantFrom(0, 0, 1, 20, 500, 4000),
      latencyMs: fc.constantFrom(0, 1, 5, 300),
      instance: fc.constantFrom('limiter-1', 'limiter-2'),
      source: fc.constantFrom('shared' as const, 'local' as const),
    });
    fc.assert(
      fc.property(fc.array(admission, { minLength: 1, maxLength: 40 }), (specs) => {
        let atMs = 0;
        const answers = specs.map(({ gapMs, ...rest }) => {
          atMs += gapMs;
          return answer(atMs, rest);
        });
        const { admitted, bound } = fullest(answers);
        expect(admitted - bound).toBeCloseTo(greatestExcess(answers), 6);
      }),
      { seed: 42, numRuns: 300 },
    );
  });

  it('passes whatever true buckets admit, each within its own delays', () => {
    fc.assert(
      fc.property(trueBucket, trueBucket, trueBucket, (redis, one, other) => {
        const bounds = {
          capacity: redis.capacity,
          refillPerSecond: redis.refillPerSecond,
          fallbackCapacity: Math.max(one.capacity, other.capacity),
          fallbackRefillPerSecond: Math.max(one.refillPerSecond, other.refillPerSecond),
        };
        const fallback = ({ answers }: TrueBucket, instance: string) =>
          answers.map((it): AnswerEvent => ({ ...it, instance, source: 'local' }));
        const answers = [...redis.answers, ...fallback(one, 'limiter-1'), ...fallback(other, 'limiter-2')];
        const [result] = fleet.judge(historyWith(answers, { bounds }));
        expect(result?.verdict, result?.detail).not.toBe('fail');
      }),
      { seed: 42, numRuns: 500 },
    );
  });

  it('judges a key that was admitted a hundred thousand times in seconds', () => {
    const startMs = performance.now();
    expect(fullest(admits(100_000, 0, 20_000))).toMatchObject({ admitted: 100_000 });
    expect(performance.now() - startMs).toBeLessThan(20_000); // one by one, its 5 · 10⁹ windows would take minutes
  });

  it('passes a run in which each key asked once', () => {
    expect(fleet.judge(buildHistory())).toMatchObject([{ name: 'fleet', phase: 'all', verdict: 'pass', measured: 1 }]);
  });

  it('allows the bucket of Redis and what it refills over the time it was used', () => {
    // 10 + 2/s · 5 s = 20, and a little for the clocks
    const [result] = fleet.judge(historyWith(admits(20, 0, 5000)));
    expect(result).toEqual({
      name: 'fleet',
      phase: 'all',
      verdict: 'pass',
      measured: 20,
      limit: expect.closeTo(20.005, 6),
      unit: 'admitted',
      detail: 'nearest to its bound: key k0, 20 admitted of at most 20.0 within 0.000–5.000 s',
    });
  });

  it('adds the fallback bucket of each instance that used it', () => {
    const fallback = (instance: string) => admits(6, 6000, 7000, { instance, source: 'local' });
    const both = [...admits(10, 0, 0), ...fallback('limiter-1'), ...fallback('limiter-2')];
    // 10, and twice 5 + 1/s · 1 s; nearest is Redis alone, with nothing to spare
    expect(fullest(both)).toEqual({ admitted: 10, bound: 10, fromMs: 0, toMs: 0 });
    expect(fleet.judge(historyWith(both))).toMatchObject([{ verdict: 'pass', measured: 10, limit: 10 }]);
    const one = [...admits(10, 0, 0), ...fallback('limiter-1'), ...fallback('limiter-1')];
    expect(fleet.judge(historyWith(one))).toMatchObject([
      { verdict: 'fail', measured: 22, limit: expect.closeTo(16.0005, 6) },
    ]);
  });

  it('allows one more bucket for each loss of the state of Redis', () => {
    const kill = fault('inject', 100, { fault: 'redis-kill', state: 'lost' });
    const answers = [...admits(10, 0, 0), ...admits(10, 200, 200)];
    expect(fleet.judge(historyWith(answers, { faults: [kill] }))).toMatchObject([
      { verdict: 'pass', measured: 10, limit: 10 },
    ]);
    expect(fleet.judge(historyWith(answers))).toMatchObject([
      { verdict: 'fail', measured: 20, limit: expect.closeTo(10.4002, 6) },
    ]);
  });

  it('counts the loss once when one kill is recorded for each of two instances', () => {
    const kill = (target: string) => fault('inject', 100, { fault: 'redis-kill', target, state: 'lost' });
    const faults = [kill('limiter-1'), kill('limiter-2')];
    const answers = [...admits(10, 0, 0), ...admits(15, 200, 200)];
    expect(fleet.judge(historyWith(answers, { faults }))).toMatchObject([{ verdict: 'fail', measured: 15, limit: 10 }]);
  });

  it('fails a key that got more than all buckets together hold, and names it', () => {
    const answers = [...admits(10, 0, 0), ...admits(11, 0, 0, { key: 'greedy' })];
    expect(fleet.judge(historyWith(answers))).toMatchObject([
      {
        verdict: 'fail',
        measured: 11,
        limit: 10,
        detail: 'nearest to its bound: key greedy, 11 admitted of at most 10.0 within 0.000–0.000 s',
      },
    ]);
  });

  it('leaves out the control, whose Redis is another one', () => {
    const answers = [...admits(10, 0, 0), ...admits(10, 0, 0, { instance: 'limiter-control' })];
    expect(fleet.judge(historyWith(answers))).toMatchObject([{ verdict: 'pass', measured: 10 }]);
  });

  it('is unknown without answers', () => {
    expect(fleet.judge(historyWith([]))).toMatchObject([{ verdict: 'unknown', measured: null, detail: 'no answers' }]);
  });

  it('allows the keys of a killed master one more bucket, since its replica may not have heard of all, and no others', () => {
    const kill = fault('inject', 100, { fault: 'master-kill', state: 'perhaps-lost' });
    const answersOf = (key: string) => [...admits(10, 0, 0, { key }), ...admits(10, 200, 200, { key })];
    const judged = (key: string) => fleet.judge(historyWith(answersOf(key), { faults: [kill], placement, failover }));
    expect(['k0', 'k1', 'k3'].map((key) => judged(key)[0]?.verdict)).toEqual(['pass', 'fail', 'pass']);
  });
});
