import { describe, expect, it } from 'vitest';
import { failsOpen } from '../../../chaos/checks/fails-open.ts';
import type { SourceKind } from '../../../chaos/history.ts';
import type { PhaseName } from '../../../chaos/scenario.ts';
import { failoverHistory, keyOf, shardLost } from '../../support/failover-history.ts';
import { buildHistory, type PhaseSpec } from '../../support/history-builder.ts';
import { move } from '../../support/history-events.ts';

const judge = (phases: Partial<Record<PhaseName, Partial<PhaseSpec>>>) =>
  failsOpen.judge(buildHistory({ phases })).map(({ phase, verdict, detail }) => [phase, verdict, detail]);

/** What is found in a phase. */
const judgeIn = (phase: PhaseName, phases: Parameters<typeof judge>[0]) =>
  judge(phases).find(([name]) => name === phase);

/** One in `n` is answered by the other one. */
const oneIn = (n: number, other: SourceKind) => {
  const usual = other === 'shared' ? 'local' : 'shared';
  return { source: (i: number): SourceKind => (i % n === 0 ? other : usual) };
};

describe('the fails-open check', () => {
  it('passes when Redis answers before and after the fault, and the fallback during it', () => {
    expect(failsOpen.judge(buildHistory())).toEqual([
      {
        name: 'fails-open',
        phase: 'baseline',
        verdict: 'pass',
        measured: 100,
        limit: 99,
        unit: '%',
        detail: 'answered by the store',
      },
      {
        name: 'fails-open',
        phase: 'onset',
        verdict: 'pass',
        measured: 100,
        limit: 99,
        unit: '%',
        detail: 'answered by fallback once every breaker had to be open',
      },
      {
        name: 'fails-open',
        phase: 'fault',
        verdict: 'pass',
        measured: 100,
        limit: 99,
        unit: '%',
        detail: 'answered by fallback',
      },
      {
        name: 'fails-open',
        phase: 'recovered',
        verdict: 'pass',
        measured: 100,
        limit: 99,
        unit: '%',
        detail: 'answered by the store',
      },
    ]);
  });

  it('fails when Redis still answers during the fault', () => {
    expect(judge({ fault: oneIn(50, 'shared') })).toEqual([
      ['baseline', 'pass', 'answered by the store'],
      ['onset', 'pass', 'answered by fallback once every breaker had to be open'],
      ['fault', 'fail', 'answered by fallback'],
      ['recovered', 'pass', 'answered by the store'],
    ]);
  });

  it('is unknown when Redis answers so late that a process which was held up sees it with its deadline, as the control was', () => {
    const late = (latencyMs: number, controlMs: number) => {
      const slow = (i: number, ms: number, n = 20) => (i % n === 0 ? ms : 1);
      const fault = { ...oneIn(20, 'shared'), latencyMs: (i: number) => slow(i, latencyMs) };
      const controlled = { controlLatencyMs: (i: number) => slow(i, controlMs) };
      return judgeIn('fault', { fault: { ...fault, ...controlled }, recovered: controlled })?.[1];
    };
    expect(late(300, 400)).toBe('unknown');
    expect(late(300, 100)).toBe('fail');
    expect(late(300, 1)).toBe('fail');
    expect(late(2, 400)).toBe('fail');
  });

  it('fails when Redis still answers in the second of the injection, once every breaker had to be open', () => {
    expect(judgeIn('onset', { onset: oneIn(50, 'shared') })?.slice(0, 2)).toEqual(['onset', 'fail']);
    const early = (i: number): SourceKind => (i < 36 ? 'shared' : 'local'); // for 60 ms
    expect(judgeIn('onset', { onset: { source: early } })?.slice(0, 2)).toEqual(['onset', 'pass']);
  });

  it('leaves an opening that came late to the check of that, and is unknown where the machine stood still', () => {
    const judged = (openMs: number, source: (i: number) => SourceKind, controlLatencyMs = 1) => {
      const breaker = ['limiter-1', 'limiter-2'].map((name) => move(name, openMs, 'closed', 'open'));
      const phases = { onset: { source, controlLatencyMs } };
      return failsOpen.judge(buildHistory({ phases, breaker })).find(({ phase }) => phase === 'onset')?.verdict;
    };
    const late = (i: number) => (i < 240 ? 'shared' : 'local'); // for 400 ms
    expect(judged(1395, late)).toBe('pass');
    const { source } = oneIn(50, 'shared');
    expect(judged(1016, source)).toBe('fail');
    expect(judged(1016, source, 200)).toBe('unknown');
  });

  it('does not count what Redis answered after the heal, though it was requested before: it may have decided then', () => {
    const late = (latencyMs: number) => ({ fault: { ...oneIn(10, 'shared'), latencyMs } });
    expect(judgeIn('fault', late(5000))?.[1]).toBe('pass');
    expect(judgeIn('fault', late(100))?.[1]).toBe('fail');
  });

  it('fails when the fallback goes on after the recovery', () => {
    expect(judgeIn('recovered', { recovered: { source: 'local' } })).toEqual([
      'recovered',
      'fail',
      expect.stringMatching(/^answered by the store; limiter-\d was without Redis for 2\.\d s$/),
    ]);
  });

  it('fails when one instance alone is without Redis for longer than two openings of its breaker', () => {
    const until = (i: number) => (mechanismMs: number) =>
      i % 2 === 0 && i * (1000 / 600) < mechanismMs ? 'local' : 'shared';
    const verdictFor = (ms: number) => judgeIn('recovered', { recovered: { source: (i) => until(i)(ms) } })?.[1];
    expect([verdictFor(2900), verdictFor(2400)]).toEqual(['fail', 'unknown']);
  });

  it('is unknown when the fallback answered no more than one stall of a link explains', () => {
    // Seen on a busy machine: three calls of one instance late at once, its breaker open for a second, the control quiet.
    const stalled = { source: (i: number) => (i % 2 === 0 && i > 600 && i < 1300 ? 'local' : 'shared') } as const;
    expect(judgeIn('recovered', { recovered: stalled })?.slice(0, 2)).toEqual(['recovered', 'unknown']);
  });

  it('fails when the fallback answers now and then, which takes a stall each time, and the control had none', () => {
    expect(judgeIn('recovered', { recovered: oneIn(50, 'local') })).toEqual([
      'recovered',
      'fail',
      expect.stringMatching(/^answered by the store; limiter-1 turned to its fallback \d+ times, the control 0 times$/),
    ]);
  });

  it('does not count the time that a recovery may take against the recovered phase', () => {
    // The recovery may last until 5,001 + 2,210 ms: 126 of 600 answers/s into the phase.
    const source = (i: number): SourceKind => (i < 126 ? 'local' : 'shared');
    expect(judgeIn('recovered', { recovered: { source } })).toEqual(['recovered', 'pass', 'answered by the store']);
  });

  it('is unknown when Redis fails the control as well: the machine is noisy', () => {
    const noisy = { ...oneIn(50, 'local'), controlSource: 'local' } as const;
    expect(judgeIn('baseline', { baseline: noisy })).toEqual([
      'baseline',
      'unknown',
      "of the control's answers only 0.0 % are from Redis either",
    ]);
  });

  it('is unknown when the control is slow in the same phase: noise opens breakers, and not all at once', () => {
    // Seen on a busy machine: the generator 6.7 ms late, the control's p99 19.8 ms, and two breakers open for a second.
    const noisy = { ...oneIn(2, 'local'), latencyMs: 17, controlLatencyMs: 20, lagMs: 7 } as const;
    expect(judgeIn('recovered', { recovered: noisy })?.slice(0, 2)).toEqual(['recovered', 'unknown']);
  });

  it('is unknown when one of fewer than a hundred answers came from the other one, and fails when two did', () => {
    const few = (others: number) => ({
      rate: 25,
      source: (i: number): SourceKind => (i < others ? 'shared' : 'local'),
    });
    expect(judgeIn('fault', { fault: few(1) })).toEqual([
      'fault',
      'unknown',
      "one of 75 answers is another's; of so few 99 % cannot be told",
    ]);
    expect(judgeIn('fault', { fault: few(2) })).toEqual(['fault', 'fail', 'answered by fallback']);
  });

  it('is unknown for a phase without answers', () => {
    expect(judgeIn('fault', { fault: { rate: 0 } })).toEqual(['fault', 'unknown', 'no answers']);
  });

  it('holds the fallback to the keys of the killed master until the failover, and Redis to all keys from then on', () => {
    const results = failsOpen.judge(failoverHistory());
    expect(results.map(({ phase, verdict, detail }) => [phase, verdict, detail])).toEqual([
      ['baseline', 'pass', 'answered by the store'],
      ['onset', 'pass', 'answered by fallback once every breaker had to be open'],
      ['fault', 'pass', 'answered by fallback until the failover'],
      ['recovered', 'pass', 'answered by the store from the failover to the end'],
    ]);
  });

  it('does not expect the fallback before enough calls were made to open the breaker', () => {
    // k0 is asked for once in 100 ms on each instance; a denial is repeated for 200 ms from what Redis said before.
    const rate = 60;
    const source = (i: number) => (i % 3 === 0 && i !== 9 && i !== 12 ? 'local' : 'shared');
    const onset = { rate, key: keyOf, source } as const;
    expect(failsOpen.judge(failoverHistory({ phases: { onset } })).every(({ verdict }) => verdict === 'pass')).toBe(
      true,
    );
  });

  it('fails when Redis seems to answer for a master that is dead', () => {
    const phases = { onset: { key: keyOf, source: 'shared' }, fault: { key: keyOf, source: 'shared' } } as const;
    expect(failsOpen.judge(failoverHistory({ phases })).slice(1, 3)).toMatchObject([
      { phase: 'onset', verdict: 'fail' },
      { phase: 'fault', verdict: 'fail' },
    ]);
  });

  it('fails when the keys of the killed master stay with the fallback until that is started again, and after', () => {
    const late = { fault: { key: keyOf, source: shardLost(2000, 20_000) } };
    const never = {
      ...late,
      heal: { key: keyOf, source: 'local' },
      recovered: { key: keyOf, source: 'local' },
    };
    expect(failsOpen.judge(failoverHistory({ phases: late }))[3]?.verdict).not.toBe('pass');
    expect(failsOpen.judge(failoverHistory({ phases: never as typeof late }))[3]).toMatchObject({ verdict: 'fail' });
  });

  it('judges only the baseline when no other master took the place of the killed one', () => {
    expect(failsOpen.judge(failoverHistory({ failover: undefined })).map(({ phase }) => phase)).toEqual(['baseline']);
  });
});
