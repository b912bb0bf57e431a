import { describe, expect, it } from 'vitest';
import { notApplicable, runChecks } from '../../../chaos/checks/check.ts';
import { trip } from '../../../chaos/checks/trip.ts';
import type { BreakerEvent, SourceKind } from '../../../chaos/history.ts';
import { failoverHistory, keyOf, victim } from '../../support/failover-history.ts';
import { hangingCalls } from '../../support/hanging-calls.ts';
import { buildHistory, type HistorySpec, usualInstances } from '../../support/history-builder.ts';
import { answer, fault, move } from '../../support/history-events.ts';

const judge = (spec: HistorySpec = {}) => trip.judge(buildHistory(spec));
const open = (instance: string, atMs: number) => move(instance, atMs, 'closed', 'open');
const breakerOf = (...breaker: BreakerEvent[]): HistorySpec => ({ breaker });

/** Each request waits for a call. */
const waiting = { onset: { latencyMs: 6 } };

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
    expect(judge({ phases: waiting, ...breakerOf(open('limiter-1', 1020), open('limiter-2', 1101)) })).toMatchObject([
      { verdict: 'fail', measured: 100, limit: 65, detail: 'limiter-2' },
    ]);
  });

  it('is unknown when no request waited any more in the time by which one opened late: its clock may be ahead', () => {
    expect(judge(breakerOf(open('limiter-1', 1020), open('limiter-2', 1101)))).toMatchObject([
      { verdict: 'unknown', measured: 100, detail: expect.stringContaining('its clock may be ahead') },
    ]);
    expect(judge(breakerOf(open('limiter-1', 1020), open('limiter-2', 1201)))).toMatchObject([{ verdict: 'fail' }]);
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

  it('does not fail a breaker that was open since before the run: its first move tells', () => {
    const [result] = judge(breakerOf(move('limiter-1', 1700, 'open', 'half-open'), open('limiter-2', 1020)));
    expect(result?.verdict).not.toBe('fail');
  });

  it('is unknown when the control stalled at the same time', () => {
    const phases = { onset: { controlLatencyMs: (i: number) => (i === 0 ? 80 : 1) } };
    expect(judge({ phases, ...breakerOf(open('limiter-1', 1020), open('limiter-2', 1101)) })).toMatchObject([
      { verdict: 'unknown', measured: 100, detail: 'the control arm stalled for 80 ms at the same time' },
    ]);
  });

  it('is unknown when one opened late to whom a fault of its clients let no request through meanwhile', () => {
    const lost = { fault: 'slow-clients', effect: 'none', reach: 'one-front-link', target: 'limiter-2' } as const;
    const faults = [
      ...['limiter-1', 'limiter-2'].flatMap((target) => [
        fault('inject', 1000, { target }),
        fault('heal', 5000, { target }),
      ]),
      ...[fault('inject', 1000, lost), fault('heal', 4000, lost)],
    ];
    const slow = { onset: { latencyMs: (i: number) => (i % 2 ? 150 : 6) } };
    const judged = (first: number, second: number) =>
      judge({ faults, phases: slow, ...breakerOf(open('limiter-1', first), open('limiter-2', second)) });
    expect(judged(1020, 1120)).toMatchObject([
      { verdict: 'unknown', measured: 119, detail: 'another fault was between limiter-2 and its clients' },
    ]);
    expect(judged(1020, 1030)).toMatchObject([{ verdict: 'pass' }]);
    expect(judged(1120, 1030)).toMatchObject([{ verdict: 'fail', detail: 'limiter-1' }]);
  });

  it('is unknown when an instance does not tell of its breaker', () => {
    const instances = usualInstances.map((instance) => ({ ...instance, reportsBreaker: false }));
    expect(judge({ instances })).toMatchObject([
      { verdict: 'unknown', detail: 'limiter-1 does not tell of its breaker' },
    ]);
  });

  it('counts what is left when nobody asked for long: the calls themselves, and what came after the last', () => {
    // Twenty a second: limiter-1 is asked at 1,100 ms, 1,200 and 1,300, limiter-2 at 1,050 ms, 1,150 and 1,250.
    const onset = { rate: 20, latencyMs: 6 };
    expect(judge({ phases: { onset }, breaker: [open('limiter-1', 1306), open('limiter-2', 1256)] })).toEqual([
      {
        name: 'trip',
        phase: 'onset',
        verdict: 'pass',
        measured: 16, // 305 ms since the bite, less 99, 95 and 95 ms: a call has 5 ms
        limit: 65,
        unit: 'ms',
        detail: 'slowest: limiter-1, not counting 289 ms in which no call was made',
      },
    ]);
  });

  it('fails a breaker that opens 300 ms after the last call that it needs, however few are made', () => {
    const onset = { rate: 20, latencyMs: 6 };
    expect(judge({ phases: { onset }, breaker: [open('limiter-1', 1306), open('limiter-2', 1556)] })).toMatchObject([
      { verdict: 'fail', measured: 316, limit: 65, detail: 'limiter-2' },
    ]);
  });

  it('fails a breaker that waits for more calls than its setting says, however few are made', () => {
    const onset = { rate: 20, latencyMs: 6 };
    expect(judge({ phases: { onset }, breaker: [open('limiter-1', 1406), open('limiter-2', 1256)] })).toMatchObject([
      { verdict: 'fail', measured: 116, detail: 'limiter-1' },
    ]);
  });

  it('does not count against the breaker that its client was held up when the answers came', () => {
    const onset = { rate: 20, latencyMs: 60 };
    expect(judge({ phases: { onset }, breaker: [open('limiter-1', 1306), open('limiter-2', 1256)] })).toMatchObject([
      { verdict: 'pass', measured: 16 },
    ]);
  });

  it('does not call it waiting when the calls themselves take too long', () => {
    // Each is answered after 30 ms, and the next one asked at once.
    const onset = { rate: 1000, latencyMs: 30 };
    expect(judge({ phases: { onset }, breaker: [open('limiter-1', 1095), open('limiter-2', 1095)] })).toMatchObject([
      { verdict: 'fail', measured: 94 },
    ]);
  });

  it.each([2, 20, 100, 1000])('fails no sound breaker at %i/s, and passes none that opens 300 ms late', (rate) => {
    const histories = rate < 100 ? 200 : 10;
    const verdicts = (lateMs: number) => {
      const seen = new Set<string>();
      for (let i = 1; i <= histories; i++) {
        for (const breakerFailures of [1, 2, 3]) {
          const [result] = judge(hangingCalls({ rate, seed: i * 50_000_017, breakerFailures, lateMs }));
          seen.add(result?.verdict ?? '');
        }
      }
      return [...seen].sort();
    };
    const alsoUnknown = rate < 20 ? ['unknown'] : [];
    expect({ sound: verdicts(0), late: verdicts(300) }).toEqual({
      sound: ['pass', ...alsoUnknown],
      late: ['fail', ...alsoUnknown],
    });
  });

  it('is unknown when too few calls were made to open it until the heal', () => {
    const phases = { onset: { rate: 4 }, fault: { rate: 0 } };
    expect(judge({ phases, breaker: [] })).toMatchObject([
      {
        verdict: 'unknown',
        measured: null,
        detail: 'too little traffic on limiter-1: 1 of the 3 calls that it takes were seen to fail',
      },
    ]);
  });

  it('is unknown when the fault ended before the breaker had to be open', () => {
    const phases = { onset: { rate: 0 }, fault: { rate: 0 } };
    const late = ['limiter-1', 'limiter-2'].flatMap((instance) =>
      [4920, 4940, 4960].map((atMs) => answer(atMs, { instance, source: 'local', latencyMs: 6 })),
    );
    expect(judge({ phases, answers: late, breaker: [] })).toMatchObject([
      { verdict: 'unknown', detail: 'too little traffic on limiter-1: the fault was over too soon' },
    ]);
  });

  it('fails one that had the calls, though another one had too few', () => {
    const instance = (i: number) => (i < 1 ? 'limiter-1' : 'limiter-2');
    const answers = Array.from({ length: 12 }, (_, i) =>
      answer(1100 + 100 * i, { instance: instance(i), source: 'local', latencyMs: 6 }),
    );
    const phases = { onset: { rate: 0 }, fault: { rate: 0 } };
    expect(judge({ phases, answers, breaker: [] })).toMatchObject([
      { verdict: 'fail', detail: 'limiter-2 never opened' },
    ]);
  });

  it('is unknown when no fault was injected', () => {
    expect(judge({ faults: [] })).toMatchObject([{ verdict: 'unknown', detail: 'no fault was injected' }]);
  });

  it('is unknown when it is late on a machine that was slow all the time, unless it is far too late', () => {
    const late = (openMs: number) => ({
      breaker: ['limiter-1', 'limiter-2'].map((it) => move(it, 1000 + openMs, 'closed', 'open')),
    });
    const slow = { controlLatencyMs: 25 };
    const phases = { baseline: slow, onset: { ...slow, ...waiting.onset }, fault: slow, heal: slow, recovered: slow };
    const verdictOf = (spec: HistorySpec) => judge({ phases: waiting, ...spec })[0]?.verdict;
    expect(verdictOf({ ...late(150), phases })).toBe('unknown');
    expect(verdictOf({ ...late(400), phases })).toBe('fail');
    expect(verdictOf({ ...late(150) })).toBe('fail');
    expect(verdictOf({ breaker: [], phases })).toBe('fail');
  });

  it('is not applicable to an experiment without a fault', () => {
    const results = runChecks([trip], buildHistory({ fault: null }));
    expect(results).toEqual([notApplicable('trip', 'the scenario breaks nothing')]);
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
      source: (i: number) => (i % 3 === 0 ? 'local' : 'shared') as SourceKind,
    };
    const opened = [
      move('limiter-1', 1310, 'closed', 'open', victim),
      move('limiter-2', 1260, 'closed', 'open', victim),
    ];
    const judged = (rate: number) =>
      trip.judge(failoverHistory({ phases: { onset: { ...onset, rate } }, breaker: opened }));
    expect(judged(60)).toMatchObject([{ verdict: 'pass' }]);
    expect(judged(600)).toMatchObject([{ verdict: 'fail' }]);
  });

  it('does not apply where nobody told which master of a cluster held which key', () => {
    const { placement: _, ...unplaced } = failoverHistory({ breaker: [] });
    expect(trip.judge({ ...unplaced, placement: undefined })).toEqual([
      notApplicable('trip', 'nobody told which master held which key'),
    ]);
  });
});
