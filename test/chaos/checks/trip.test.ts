import { describe, expect, it } from 'vitest';
import { trip } from '../../../chaos/checks/trip.ts';
import type { BreakerEvent } from '../../../chaos/history.ts';
import { failoverHistory, keyOf, victim } from '../../support/failover-history.ts';
import { buildHistory, type HistorySpec, move, usualInstances } from '../../support/history-builder.ts';

const judge = (spec: HistorySpec = {}) => trip.judge(buildHistory(spec));
const open = (instance: string, atMs: number) => move(instance, atMs, 'closed', 'open');
const breakerOf = (...breaker: BreakerEvent[]): HistorySpec => ({ breaker });

describe('the trip check', () => {
  it('passes when every breaker opened in time, and tells the slowest', () => {
    // Injected by 1,001 ms; 3 calls of 5 ms and 50 ms of slack.
    expect(judge(breakerOf(open('limiter-1', 1020), open('limiter-2', 1061)))).toEqual([
      {
        name: 'trip',
        phase: 'onset',
        verdict: 'pass',
        measured: 60,
        limit: 65,
        unit: 'ms',
        detail: 'slowest: limiter-2',
      },
    ]);
  });

  it('counts a breaker as quick that opened while the fault was being injected', () => {
    const [result] = judge(breakerOf(open('limiter-1', 1000.5), open('limiter-2', 1000.5)));
    expect(result).toMatchObject({ verdict: 'pass', measured: 0 });
  });

  it('fails when one breaker opened late', () => {
    expect(judge(breakerOf(open('limiter-1', 1020), open('limiter-2', 1101)))).toMatchObject([
      { verdict: 'fail', measured: 100, limit: 65, detail: 'limiter-2' },
    ]);
  });

  it('fails when one breaker never opened', () => {
    expect(judge(breakerOf(open('limiter-1', 1020)))).toMatchObject([
      { verdict: 'fail', measured: null, detail: 'limiter-2 never opened' },
    ]);
  });

  it('does not count an opening before the fault', () => {
    const closed = move('limiter-1', 600, 'half-open', 'closed');
    expect(judge(breakerOf(open('limiter-1', 500), closed, open('limiter-2', 1020)))).toMatchObject([
      { verdict: 'fail', detail: 'limiter-1 never opened' },
    ]);
  });

  it('does not fail a breaker that noise had opened before, and that was still open when the fault bit', () => {
    const stillOpen = [
      open('limiter-1', 800),
      move('limiter-1', 1700, 'open', 'half-open'),
      move('limiter-1', 1706, 'half-open', 'open'),
    ];
    const [result] = judge(breakerOf(...stillOpen, open('limiter-2', 1020)));
    expect(['pass', 'unknown']).toContain(result?.verdict);
  });

  it('is unknown when the control stalled at the same time', () => {
    const phases = { onset: { controlLatencyMs: (i: number) => (i === 0 ? 80 : 1) } };
    expect(judge({ phases, ...breakerOf(open('limiter-1', 1020), open('limiter-2', 1101)) })).toMatchObject([
      { verdict: 'unknown', measured: 100, detail: 'the control arm stalled for 80 ms at the same time' },
    ]);
  });

  it('is unknown when an instance does not tell of its breaker', () => {
    const instances = usualInstances.map((instance) => ({ ...instance, tellsBreaker: false }));
    expect(judge({ instances })).toMatchObject([
      { verdict: 'unknown', detail: 'limiter-1 does not tell of its breaker' },
    ]);
  });

  it('is unknown when there was too little traffic to open it', () => {
    expect(judge({ phases: { onset: { rate: 20 } }, breaker: [] })).toMatchObject([
      { verdict: 'unknown', detail: 'too little traffic on limiter-1' },
    ]);
  });

  it('is unknown when no fault was injected', () => {
    expect(judge({ faults: [] })).toMatchObject([{ verdict: 'unknown', detail: 'no fault was injected' }]);
  });

  it('has nothing to say of an experiment without a fault', () => {
    expect(judge({ fault: null })).toEqual([]);
  });

  it('looks at the breaker of the killed master alone', () => {
    const opened = (atMs: number) =>
      ['limiter-1', 'limiter-2'].map((name) => move(name, atMs, 'closed', 'open', victim));
    const other = ['limiter-1', 'limiter-2'].map((name) => move(name, 1010, 'closed', 'open', 'a:2'));
    expect(trip.judge(failoverHistory({ breaker: opened(1016) }))).toMatchObject([{ verdict: 'pass' }]);
    expect(trip.judge(failoverHistory({ breaker: other }))).toMatchObject([
      { verdict: 'fail', detail: 'limiter-1 never opened' },
    ]);
    expect(trip.judge(failoverHistory({ breaker: opened(1200) }))).toMatchObject([{ verdict: 'fail' }]);
  });

  it('gives a breaker whose keys are asked for rarely the time of the calls that it needs', () => {
    // One call in 100 ms for each instance: the third of limiter-1 begins at 1,300 ms, that of limiter-2 at 1,250 ms.
    const onset = {
      key: keyOf,
      mechanism: (i: number) => (i % 3 === 0 ? 'fallback' : 'redis') as 'fallback' | 'redis',
    };
    const opened = ['limiter-1', 'limiter-2'].map((name) => move(name, 1310, 'closed', 'open', victim));
    const judged = (rate: number) =>
      trip.judge(failoverHistory({ phases: { onset: { ...onset, rate } }, breaker: opened }));
    expect(judged(60)).toMatchObject([{ verdict: 'pass' }]);
    expect(judged(600)).toMatchObject([{ verdict: 'fail' }]);
  });
});
