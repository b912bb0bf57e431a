import { describe, expect, it } from 'vitest';
import { fleet } from '../../../chaos/checks/fleet.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import { failover, placement } from '../../support/failover-history.ts';
import { answer, buildHistory, fault, historyWith } from '../../support/history-builder.ts';

/** Admissions of one key, evenly from `fromMs` to `toMs`. */
const admits = (count: number, fromMs: number, toMs: number, changes: Partial<AnswerEvent> = {}) =>
  Array.from({ length: count }, (_, i) => {
    const atMs = fromMs + ((toMs - fromMs) * i) / Math.max(1, count - 1);
    return answer(atMs, { latencyMs: 0, ...changes });
  });

describe('the fleet check', () => {
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
      limit: 20.005,
      unit: 'admitted',
      detail: 'nearest to its bound: key k0, 20 admitted of at most 20.0',
    });
  });

  it('adds the fallback bucket of each instance that used it', () => {
    const fallback = (instance: string) => admits(6, 6000, 7000, { instance, mechanism: 'fallback' });
    const both = [...admits(10, 0, 0), ...fallback('limiter-1'), ...fallback('limiter-2')];
    // 10, and twice 5 + 1/s · 1 s
    expect(fleet.judge(historyWith(both))).toMatchObject([
      { verdict: 'pass', measured: 22, limit: expect.closeTo(22.001, 6) },
    ]);
    const one = [...admits(10, 0, 0), ...fallback('limiter-1'), ...fallback('limiter-1')];
    expect(fleet.judge(historyWith(one))).toMatchObject([
      { verdict: 'fail', measured: 22, limit: expect.closeTo(16.0005, 6) },
    ]);
  });

  it('allows one more bucket for each loss of the state of Redis', () => {
    const kill = fault('inject', 100, { fault: 'redis-kill', state: 'lost' });
    const answers = [...admits(10, 0, 0), ...admits(10, 200, 200)];
    expect(fleet.judge(historyWith(answers, { faults: [kill] }))).toMatchObject([
      { verdict: 'pass', limit: expect.closeTo(20.4002, 6) },
    ]);
    expect(fleet.judge(historyWith(answers))).toMatchObject([{ verdict: 'fail' }]);
  });

  it('counts the loss once when one kill is recorded for each of two instances', () => {
    const kill = (target: string) => fault('inject', 100, { fault: 'redis-kill', target, state: 'lost' });
    const faults = [kill('limiter-1'), kill('limiter-2')];
    const answers = [...admits(10, 0, 0), ...admits(15, 200, 200)];
    expect(fleet.judge(historyWith(answers, { faults }))).toMatchObject([{ verdict: 'fail', measured: 25 }]);
  });

  it('fails a key that got more than all buckets together hold, and names it', () => {
    const answers = [...admits(10, 0, 0), ...admits(11, 0, 0, { key: 'greedy' })];
    expect(fleet.judge(historyWith(answers))).toMatchObject([
      {
        verdict: 'fail',
        measured: 11,
        limit: 10,
        detail: 'nearest to its bound: key greedy, 11 admitted of at most 10.0',
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
