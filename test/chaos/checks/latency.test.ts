import { describe, expect, it } from 'vitest';
import { latency } from '../../../chaos/checks/latency.ts';
import type { PhaseName } from '../../../chaos/scenario.ts';
import { buildHistory, historyWith, type PhaseSpec } from '../../support/history-builder.ts';

const verdictsOf = (phases: Partial<Record<PhaseName, Partial<PhaseSpec>>>) =>
  latency.judge(buildHistory({ phases })).map(({ phase, verdict }) => [phase, verdict]);

const judge = (onset: Partial<PhaseSpec>) => latency.judge(buildHistory({ phases: { onset } }))[1];

/** The latency of one in `n` is `slowMs`. */
const oneIn = (n: number, slowMs: number) => (i: number) => (i % n === 0 ? slowMs : 2);

describe('the latency check', () => {
  it('passes every phase of a quick run', () => {
    expect(verdictsOf({})).toEqual([
      ['baseline', 'pass'],
      ['onset', 'pass'],
      ['fault', 'pass'],
      ['heal', 'pass'],
      ['recovered', 'pass'],
    ]);
  });

  it('states the 99th percentile and its bounds', () => {
    expect(judge({ latencyMs: (i) => 1 + i / 100 })).toEqual({
      name: 'latency',
      phase: 'onset',
      verdict: 'pass',
      measured: expect.closeTo(1 + 593 / 100, 6),
      limit: 9,
      unit: 'ms p99',
      detail: '95 % bounds 6.9 ms to 7.0 ms, control 1.0 ms',
    });
  });

  it('fails a slow phase while the control is quick, and only that phase', () => {
    expect(verdictsOf({ onset: { latencyMs: 12 } })).toEqual([
      ['baseline', 'pass'],
      ['onset', 'fail'],
      ['fault', 'pass'],
      ['heal', 'pass'],
      ['recovered', 'pass'],
    ]);
  });

  it('is unknown where the control is not far below the limit itself, unless it is far beyond the control', () => {
    expect(judge({ latencyMs: 15, controlLatencyMs: 6 })).toMatchObject({ verdict: 'unknown' });
    expect(judge({ latencyMs: 15, controlLatencyMs: 4 })).toMatchObject({ verdict: 'fail' });
    expect(judge({ latencyMs: 30, controlLatencyMs: 6 })).toMatchObject({ verdict: 'unknown' });
    expect(judge({ latencyMs: 40, controlLatencyMs: 6 })).toMatchObject({ verdict: 'fail' });
  });

  it('is unknown of one long stall, where the machine held the control up for a third of it', () => {
    const stalled = (i: number) => (i >= 100 && i < 220 ? 200 - (i - 100) * (1000 / 600) : 1); // for 200 ms
    const judged = (controlLatencyMs: Required<PhaseSpec>['controlLatencyMs']) =>
      latency.judge(buildHistory({ phases: { onset: { latencyMs: stalled, controlLatencyMs } } }))[1]?.verdict;
    expect(judged(1)).toBe('fail');
    expect(judged((i) => (i === 8 ? 70 : 1))).toBe('unknown');
  });

  it('is unknown beside a control that the machine held up, however high the limit, unless it is a matter of seconds', () => {
    const of = (latencyMs: number, controlMs: number) =>
      latency.judge(
        buildHistory({
          bounds: { p99Ms: 100 },
          phases: { heal: { latencyMs: oneIn(10, latencyMs), controlLatencyMs: oneIn(10, controlMs) } },
        }),
      )[3]?.verdict;
    expect([of(458, 63), of(458, 16), of(458, 14), of(1500, 63)]).toEqual(['unknown', 'unknown', 'fail', 'fail']);
  });

  it('fails seconds, however slow the control was, unless its own slowest answer was nearly as slow', () => {
    const slow = { latencyMs: 0, controlLatencyMs: 30 };
    const of = (onset: Partial<PhaseSpec>) =>
      latency.judge(buildHistory({ phases: { baseline: slow, onset: { controlLatencyMs: 30, ...onset } } }))[1];
    expect(of({ latencyMs: 8000 })).toMatchObject({ verdict: 'fail' });
    expect(of({ latencyMs: 900 })).toMatchObject({ verdict: 'unknown' });
    expect(of({ latencyMs: 8000, controlLatencyMs: oneIn(100, 900) })).toMatchObject({ verdict: 'unknown' });
  });

  it('fails when too many are slow, and the rest is quick', () => {
    expect(judge({ latencyMs: oneIn(20, 300) })).toMatchObject({ verdict: 'fail', measured: 300 });
  });

  it('passes when less than one in a hundred is slow, and enough were measured to tell', () => {
    expect(judge({ rate: 5000, latencyMs: oneIn(1000, 300) })).toMatchObject({ verdict: 'pass', measured: 2 });
  });

  it('is unknown when p99 is so near the limit that chance decides', () => {
    expect(judge({ latencyMs: oneIn(100, 300) })).toMatchObject({
      verdict: 'unknown',
      detail: 'cannot tell: 95 % bounds 2.0 ms to 300.0 ms, control 1.0 ms',
    });
  });

  it('is unknown at exactly the limit only in the bounds: a bound of 9 ms is no longer under it', () => {
    expect(judge({ latencyMs: 9 })).toMatchObject({ verdict: 'fail', measured: 9 });
    expect(judge({ latencyMs: 8.999 })).toMatchObject({ verdict: 'pass' });
  });

  it('is unknown when the control is slow as well: the machine is noisy', () => {
    expect(judge({ latencyMs: 12, controlLatencyMs: 11 })).toMatchObject({
      verdict: 'unknown',
      measured: 12,
      detail: 'cannot tell: 95 % bounds 12.0 ms to 12.0 ms, control 11.0 ms',
    });
  });

  it('is unknown when the control may have been as slow, by chance under the limit: a fail needs arms that differ', () => {
    expect(judge({ latencyMs: 12, controlLatencyMs: oneIn(200, 14) })).toMatchObject({
      verdict: 'unknown',
      detail: 'cannot tell: 95 % bounds 12.0 ms to 12.0 ms, control 2.0 ms',
    });
    expect(judge({ latencyMs: 12, controlLatencyMs: oneIn(200, 11) })).toMatchObject({ verdict: 'fail' });
  });

  it('is unknown when the control was slow in the other phases: seen on a machine that was busy all the time', () => {
    const busy = { latencyMs: 14, controlLatencyMs: 15 };
    const phases = { baseline: busy, fault: busy, recovered: busy, heal: { latencyMs: 60, controlLatencyMs: 8.7 } };
    expect(verdictsOf(phases)).toContainEqual(['heal', 'unknown']);
    expect(verdictsOf({ heal: phases.heal })).toContainEqual(['heal', 'fail']);
  });

  it('is unknown when three stalls explain it, of which the control need not have seen any', () => {
    const stalls = (count: number) => (i: number) => (i % 100 < 50 && i < 100 * count ? 20 : 2);
    expect(judge({ rate: 1000, latencyMs: stalls(3) })).toMatchObject({
      verdict: 'unknown',
      measured: 20,
      detail: 'cannot tell from 3 stalls of 50 ms: 95 % bounds 20.0 ms to 20.0 ms, control 1.0 ms',
    });
    expect(judge({ rate: 1000, latencyMs: stalls(4) })).toMatchObject({ verdict: 'fail' });
  });

  it('is unknown without a control to compare with', () => {
    const instances = [{ name: 'limiter-1', control: false, reportsBreaker: true }];
    const history = buildHistory({ instances, phases: { onset: { latencyMs: 12 } } });
    expect(latency.judge(history)[1]).toMatchObject({ phase: 'onset', verdict: 'unknown' });
  });

  it('passes beside a slow control where slow answers come one by one, and is unknown where they come together', () => {
    const beside = (latencyMs: (i: number) => number, controlLatencyMs: number) =>
      latency.judge(buildHistory({ phases: { fault: { rate: 1000, latencyMs, controlLatencyMs } } }))[2]?.verdict;
    const slowest = (i: number) => (i % 15 === 0 ? 20 : 8);
    const oneByOne = (i: number) => (i % 18 === 0 ? slowest(i / 18) : 2);
    const together = (i: number) => (i < 160 ? slowest(i) : 2);
    expect([beside(oneByOne, 4), beside(together, 4)]).toEqual(['pass', 'pass']);
    expect([beside(oneByOne, 12), beside(together, 12)]).toEqual(['pass', 'unknown']);
  });

  it('is unknown with fewer than 500 answers', () => {
    expect(judge({ rate: 499 })).toMatchObject({
      verdict: 'unknown',
      detail: '499 answers; at least 500 are needed',
    });
    expect(judge({ rate: 500 })).toMatchObject({ verdict: 'pass' });
  });

  it('is unknown when the generator ran late', () => {
    expect(judge({ lagMs: oneIn(50, 2.1), latencyMs: 3 })).toMatchObject({
      verdict: 'unknown',
      detail: 'the generator ran 2.1 ms late (p99); at most 2 ms',
    });
    expect(judge({ lagMs: 1.9, latencyMs: 3 })).toMatchObject({ verdict: 'pass' });
  });

  it('counts from the scheduled time, not from the sending', () => {
    expect(judge({ lagMs: 1, latencyMs: 9.5 })).toMatchObject({ verdict: 'fail', measured: 9.5 });
  });

  it('counts a request without an answer as infinitely slow', () => {
    expect(judge({ status: (i) => (i % 20 === 0 ? 0 : 200) })).toMatchObject({ verdict: 'fail', measured: null });
  });

  it('is unknown for a run without phases', () => {
    expect(latency.judge(historyWith([]))).toMatchObject([{ phase: 'all', verdict: 'unknown', detail: 'no phase' }]);
  });
});
