import { describe, expect, it } from 'vitest';
import { answersIn, historyOf, latencyMs } from '../../chaos/history.ts';
import { buildHistory, eventsOf } from '../support/history-builder.ts';
import { answer, move } from '../support/history-events.ts';

const events = eventsOf({ phases: [{ name: 'baseline', ms: 100 }] });

describe('a history', () => {
  it('cannot be made without the line that tells the scenario', () => {
    const message = 'the first line, which tells the scenario, is missing';
    expect(() => historyOf(events.slice(1))).toThrow(message);
    expect(() => historyOf([])).toThrow(message);
  });

  it('lasts, in its phases, from one to the next', () => {
    expect(buildHistory().phases).toEqual([
      { name: 'baseline', startMs: 0, endMs: 1000 },
      { name: 'onset', startMs: 1000, endMs: 2000 },
      { name: 'fault', startMs: 2000, endMs: 5000 },
      { name: 'heal', startMs: 5000, endMs: 7000 },
      { name: 'recovered', startMs: 7000, endMs: 10_000 },
    ]);
  });

  it('that was cut off is not complete, and ends with its last answer', () => {
    const cut = buildHistory({ complete: false, phases: [{ name: 'baseline', ms: 100 }], answers: [answer(1234)] });
    expect({ phases: cut.phases, complete: cut.complete }).toEqual({
      phases: [{ name: 'baseline', startMs: 0, endMs: 1234 }],
      complete: false,
    });
    expect(buildHistory().complete).toBe(true);
  });

  it('tells the moves of the breakers in order of time', () => {
    const moves = [move('limiter-2', 30, 'closed', 'open'), move('limiter-1', 10, 'closed', 'open')];
    expect(buildHistory({ breaker: moves }).breaker.map(({ atMs }) => atMs)).toEqual([10, 30]);
  });

  it('sorts answers into phases by the time they were scheduled, and into arms', () => {
    const answers = [
      answer(999.999, { receivedMs: 1500 }),
      answer(1000),
      answer(1000, { instance: 'limiter-control' }),
      answer(1999.999),
      answer(2000),
    ];
    const history = buildHistory({
      phases: { baseline: { rate: 0 }, onset: { rate: 0 }, fault: { rate: 0 } },
      answers,
    });
    const onset = { name: 'onset', startMs: 1000, endMs: 2000 } as const;
    expect(answersIn(history, onset, 'faulted')).toEqual([answers[1], answers[3]]);
    expect(answersIn(history, onset, 'control')).toEqual([answers[2]]);
  });
});

describe('a latency', () => {
  it('counts from the scheduled time', () => {
    expect(latencyMs(answer(100, { sentMs: 103, receivedMs: 107 }))).toBe(7);
  });

  it('is infinite without an answer', () => {
    expect(latencyMs(answer(100, { status: 0 }))).toBe(Number.POSITIVE_INFINITY);
  });
});
