import { describe, expect, it } from 'vitest';
import { breaker } from '../../../chaos/checks/breaker.ts';
import type { BreakerEvent } from '../../../chaos/history.ts';
import { failoverHistory, victim } from '../../support/failover-history.ts';
import { buildHistory, historyWith, usualInstances } from '../../support/history-builder.ts';
import { answer, move } from '../../support/history-events.ts';

const judge = (...moves: BreakerEvent[]) => breaker.judge(historyWith([], { breaker: moves }));
/** One breaker's way through these states, a second each. */
const way = (...states: string[]) => of('limiter-1', ...states);
const of = (instance: string, ...states: string[]) =>
  states.slice(1).map((to, i) => move(instance, 1000 * (i + 1), states[i] as string, to));

describe('the breaker check', () => {
  it('passes a run in which each breaker opened, probed and closed', () => {
    expect(breaker.judge(buildHistory())).toEqual([
      {
        name: 'breaker',
        phase: 'all',
        verdict: 'pass',
        measured: 0,
        limit: 0,
        unit: 'moves',
        detail: '14 moves, each of them allowed',
      },
    ]);
  });

  it('passes breakers that never moved', () => {
    expect(judge()).toMatchObject([{ verdict: 'pass', detail: '0 moves, each of them allowed' }]);
  });

  it('passes probes that fail before one is answered, and a second opening after that', () => {
    const around = way('closed', 'open', 'half-open', 'open', 'half-open', 'closed', 'open');
    expect(judge(...around)).toMatchObject([{ verdict: 'pass', measured: 0 }]);
  });

  it('passes a breaker that was open when the run began', () => {
    expect(judge(...way('open', 'half-open', 'closed'))).toMatchObject([{ verdict: 'pass', measured: 0 }]);
  });

  describe('that was open when the run began, and is not asked for a long time', () => {
    const late = [move('limiter-1', 4900, 'open', 'half-open'), move('limiter-1', 4910, 'half-open', 'closed')];
    const judgeAt = (controlLatencyMs: number) =>
      breaker.judge(
        buildHistory({
          instances: usualInstances.filter(({ name }) => name !== 'limiter-2'),
          fault: null,
          phases: {
            baseline: { ms: 4900, source: 'local', controlLatencyMs },
            onset: { source: 'shared' },
            fault: { source: 'shared' },
          },
          breaker: late,
        }),
      );

    it('fails on a machine that never stood still', () => {
      expect(judgeAt(1)).toMatchObject([{ verdict: 'fail' }]);
    });

    it('passes where the control, too, had an answer that took as long as it waits', () => {
      expect(judgeAt(1100)).toMatchObject([{ verdict: 'pass' }]);
    });
  });

  it.each([
    ['closed', 'half-open'],
    ['closed', 'closed'],
    ['open', 'closed'],
    ['open', 'open'],
    ['half-open', 'half-open'],
    ['closed', 'ajar'],
    ['ajar', 'open'],
  ])('fails a move from %s to %s', (from, to) => {
    expect(judge(...way(from, to))).toMatchObject([
      {
        verdict: 'fail',
        measured: 1,
        detail: `the breaker of limiter-1, which was ${from}, moved from ${from} to ${to} at 1.000 s`,
      },
    ]);
  });

  it('fails a move that does not begin where the one before it ended, and names the first', () => {
    const moves = [...way('closed', 'open'), move('limiter-1', 1500, 'half-open', 'closed')];
    expect(judge(...moves, move('limiter-1', 2000, 'open', 'half-open'))).toMatchObject([
      {
        verdict: 'fail',
        measured: 2,
        detail: 'the breaker of limiter-1, which was open, moved from half-open to closed at 1.500 s',
      },
    ]);
  });

  it('fails one that says that it is closed while the fallback alone answers, call after call, for over a second', () => {
    const fallback = (atMs: number) => answer(atMs, { source: 'local', latencyMs: 0 });
    const verdictOf = (...atMs: number[]) =>
      breaker.judge(
        buildHistory({
          phases: [{ name: 'baseline', ms: 10_000, rate: 0 }],
          answers: atMs.map(fallback),
          breaker: [],
          fault: null,
        }),
      )[0]?.verdict;
    expect(verdictOf(...Array.from({ length: 200 }, (_, i) => 500 + 10 * i))).toBe('fail');
    // Twelve takes of one moment, and one much later, are two calls.
    expect(verdictOf(...Array(12).fill(500), 4500)).toBe('pass');
  });

  it('follows each instance by itself', () => {
    const both = [...of('limiter-1', 'closed', 'open', 'half-open'), ...of('limiter-2', 'closed', 'open', 'half-open')];
    expect(judge(...both)).toMatchObject([{ verdict: 'pass' }]);
  });

  it('follows the breaker of each shard by itself', () => {
    const shards = ['10.0.0.1:6379', '10.0.0.2:6379'].map((shard) => move('limiter-1', 1000, 'closed', 'open', shard));
    expect(judge(...shards)).toMatchObject([{ verdict: 'pass', measured: 0 }]);
    const again = move('limiter-1', 2000, 'closed', 'open', '10.0.0.2:6379');
    expect(judge(...shards, again)).toMatchObject([
      {
        verdict: 'fail',
        measured: 1,
        detail: 'the breaker of limiter-1 for 10.0.0.2:6379, which was open, moved from closed to open at 2.000 s',
      },
    ]);
  });

  it('is unknown when an instance does not tell of its breaker', () => {
    const instances = usualInstances.map((instance, i) => ({ ...instance, reportsBreaker: i !== 1 }));
    expect(breaker.judge(historyWith([], { instances }))).toMatchObject([
      { verdict: 'unknown', measured: 0, detail: 'limiter-2 does not tell of its breaker' },
    ]);
  });

  it('is unknown without an instance', () => {
    expect(breaker.judge(historyWith([], { instances: [] }))).toMatchObject([{ verdict: 'unknown' }]);
  });

  it('passes a breaker that is gone with its Redis in whatever state, and a new one when that comes back', () => {
    const moves = [...way('closed', 'open', 'gone'), move('limiter-1', 3000, 'closed', 'open')];
    expect(judge(...moves)).toMatchObject([{ verdict: 'pass' }]);
    expect(judge(...way('closed', 'open', 'gone'), move('limiter-1', 3000, 'open', 'half-open'))).toMatchObject([
      {
        verdict: 'fail',
        detail: 'the breaker of limiter-1, which was closed, moved from open to half-open at 3.000 s',
      },
    ]);
  });

  it('holds the breaker of a master against no request where nobody told which master held its key', () => {
    const opened = of('limiter-1', 'closed', 'open', 'half-open', 'closed').map((it) => ({ ...it, shard: victim }));
    const history = failoverHistory({ breaker: opened });
    expect(breaker.judge({ ...history, placement: undefined })).toMatchObject([{ verdict: 'pass' }]);
  });
});
