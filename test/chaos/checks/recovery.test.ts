import { describe, expect, it } from 'vitest';
import { notApplicable, runChecks } from '../../../chaos/checks/check.ts';
import { recovery } from '../../../chaos/checks/recovery.ts';
import { recoveryMsMax } from '../../../chaos/checks/recovery-times.ts';
import type { SourceKind } from '../../../chaos/history.ts';
import { failoverHistory, keyOf, shardLost } from '../../support/failover-history.ts';
import { buildHistory, type HistorySpec, usualBounds } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

const judge = (spec: HistorySpec = {}) => recovery.judge(buildHistory(spec));

/** 600 answers/s: the fallback gives the first so many after the heal. */
const redisAfter = (answers: number) => ({ source: (i: number) => (i < answers ? 'local' : 'shared') }) as const;

describe('the recovery check', () => {
  it('allows a reconnect, one wait of the breaker with its jitter, and two calls', () => {
    expect(recoveryMsMax(usualBounds)).toBe(1000 + 1200 + 10);
  });

  it('passes when Redis answers again in time on every instance, and tells the slowest', () => {
    expect(judge({ phases: { heal: redisAfter(601) } })).toEqual([
      {
        name: 'recovery',
        phase: 'heal',
        verdict: 'pass',
        measured: expect.closeTo(1003.333, 2), // answer 602, of limiter-1, and 1 ms, less the heal's end at 5,001 ms
        limit: 2210,
        unit: 'ms',
        detail: 'slowest: limiter-1',
      },
    ]);
  });

  it('fails when an instance comes back too late', () => {
    expect(judge({ phases: { heal: redisAfter(1200), recovered: redisAfter(600) } })).toMatchObject([
      { verdict: 'fail', measured: expect.closeTo(3001.667, 2), limit: 2210, detail: 'limiter-2' },
    ]);
  });

  it('fails when an instance never comes back', () => {
    const source = (i: number) => (i % 2 === 0 ? 'shared' : 'local') as SourceKind;
    expect(judge({ phases: { heal: { source }, recovered: { source } } })).toMatchObject([
      { verdict: 'fail', measured: null, detail: 'limiter-2 never came back to Redis' },
    ]);
  });

  // What a machine does that is busy with other things: so many of a hundred answers of the control are late.
  const noisy = (share: number) => ({ controlLatencyMs: (i: number) => ((i / 2) % 100 < share ? 12 : 1) }) as const;

  it('is unknown when one call that was lost as some of the control were explains the delay', () => {
    const heal = { ...redisAfter(1200), ...noisy(20) };
    expect(judge({ phases: { heal, recovered: { ...redisAfter(600), ...noisy(20) } } })).toMatchObject([
      {
        verdict: 'unknown',
        measured: expect.closeTo(3001.667, 2),
        detail:
          "limiter-2; of the control's answers 20.0 % were late or not from Redis either: one lost call explains it",
      },
    ]);
  });

  it('is unknown when the fallback answered for the control as well', () => {
    const heal = { ...redisAfter(1200), controlSource: 'local' } as const;
    expect(judge({ phases: { heal, recovered: redisAfter(600) } })).toMatchObject([{ verdict: 'unknown' }]);
  });

  it('fails when an instance never comes back though the control loses one call in twenty', () => {
    const source = (i: number) => (i % 2 === 0 ? 'shared' : 'local') as SourceKind;
    const phase = { source, ...noisy(5) };
    expect(judge({ phases: { heal: phase, recovered: { ...phase, ms: 5000 } } })).toMatchObject([
      { verdict: 'fail', measured: null, detail: 'limiter-2 never came back to Redis' },
    ]);
  });

  it('holds the control of the time until the next fault against an instance that was not back by then', () => {
    const onEach = ['limiter-1', 'limiter-2'].flatMap((target) => [
      ...[fault('inject', 1000, { target }), fault('heal', 5000, { target })],
      ...[fault('inject', 8000, { target }), fault('heal', 8200, { target })],
    ]);
    const after = { ...redisAfter(0), ms: 20_000 };
    const judged = (control: object) =>
      judge({ faults: onEach, phases: { heal: { ...redisAfter(1800), ms: 3000, ...control }, recovered: after } });
    expect(judged(noisy(40))).toMatchObject([
      {
        verdict: 'unknown',
        detail: expect.stringContaining('limiter-1 was not back with Redis at the next fault; of'),
      },
    ]);
    expect(judged({})).toMatchObject([{ verdict: 'fail', measured: null }]);
  });

  it('is unknown when traffic ends before the limit', () => {
    expect(judge({ phases: { recovered: { ms: 100 } } })).toMatchObject([
      { verdict: 'unknown', detail: 'no traffic on limiter-1 until the limit' },
    ]);
  });

  // One request in 500 ms for each instance: those of limiter-1 at 5,500 ms, 6,000, 6,500, 7,000, then 7,300 and 7,800.
  const sparse = (healFallbacks: number, recoveredFallbacks: number): HistorySpec => ({
    phases: {
      heal: { rate: 4, ...redisAfter(healFallbacks) },
      recovered: { rate: 0 },
    },
    answers: ['limiter-1', 'limiter-2'].flatMap((instance) =>
      [7300, 7800, 8300].map((atMs, i) =>
        answer(atMs, { instance, source: i < recoveredFallbacks ? 'local' : 'shared' }),
      ),
    ),
  });

  it('is unknown when nobody asked at a low rate between the limit and the first answer from Redis', () => {
    // The limit is at 7,211 ms: until 6,750 the fallback answered, from 7,300 on Redis.
    expect(judge(sparse(8, 0))).toEqual([
      {
        name: 'recovery',
        phase: 'heal',
        verdict: 'unknown',
        measured: 2300,
        limit: 2210,
        unit: 'ms',
        detail: 'no traffic on limiter-1 between the limit and its first answer from Redis',
      },
    ]);
  });

  it('fails at a low rate when the fallback still answers after the limit', () => {
    expect(judge(sparse(8, 1))).toMatchObject([{ verdict: 'fail', measured: 2800, detail: 'limiter-1' }]);
  });

  it('fails when one instance is late, though another was not asked in time', () => {
    const { phases, answers = [] } = sparse(8, 1);
    const others = answers.map((a) => (a.instance === 'limiter-1' ? { ...a, source: 'shared' as const } : a));
    expect(judge({ phases, answers: others } as HistorySpec)).toMatchObject([
      { verdict: 'fail', measured: 2800, detail: 'limiter-2' },
    ]);
  });

  it('is unknown when the fault was never healed', () => {
    expect(judge({ faults: [fault('inject', 1000)] })).toMatchObject([
      { verdict: 'unknown', measured: null, detail: 'the fault was not healed' },
    ]);
  });

  it('is not applicable to an experiment without a fault', () => {
    const results = runChecks([recovery], buildHistory({ fault: null }));
    expect(results).toEqual([notApplicable('recovery', 'the scenario breaks nothing')]);
  });

  it('counts from the failover where one master replaces another, for the keys of the killed one', () => {
    expect(recovery.judge(failoverHistory())).toEqual([
      {
        name: 'recovery',
        phase: 'fault',
        verdict: 'pass',
        measured: expect.closeTo(106, 0), // the first even multiple of 3 after 2,700 ms, of limiter-1 or -2, and 1 ms
        limit: 2210,
        unit: 'ms',
        detail: expect.stringMatching(/^slowest: limiter-[12], since a failover that took 1.6 s$/),
      },
    ]);
  });

  it('fails when the keys of the killed master come back only when that is started again', () => {
    const phases = { fault: { key: keyOf, source: shardLost(2000, 20_000) } };
    expect(recovery.judge(failoverHistory({ phases }))).toMatchObject([{ verdict: 'fail', limit: 2210 }]);
  });

  it('is unknown when no other master took the place of the killed one', () => {
    expect(recovery.judge(failoverHistory({ failover: undefined }))).toMatchObject([
      { verdict: 'unknown', detail: 'no other master took the place of the killed one' },
    ]);
  });
});
