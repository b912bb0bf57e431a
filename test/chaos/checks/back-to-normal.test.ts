import { describe, expect, it } from 'vitest';
import { backToNormal } from '../../../chaos/checks/back-to-normal.ts';
import { buildHistory, type HistorySpec, type PhaseSpec } from '../../support/history-builder.ts';

/** The heal is at 5 s, so it has to be back from 10 s on: the last three of eight seconds of `recovered`. */
const judge = (recovered: Partial<PhaseSpec> = {}, baseline: Partial<PhaseSpec> = {}, spec: HistorySpec = {}) =>
  backToNormal.judge(buildHistory({ ...spec, phases: { baseline, recovered: { ms: 6000, ...recovered } } }))[0];

/** Slow in the seconds of `recovered` for which `isSlow` says so, at 600 requests per second. */
const slowIn =
  (isSlow: (second: number) => boolean, slowMs = 6) =>
  (i: number) =>
    isSlow(Math.floor(i / 600)) ? slowMs : 1;
const always = slowIn(() => true);

describe('the check of what is back to normal', () => {
  it('passes an instance that is as quick as before, however slow it was in the first five seconds', () => {
    expect(judge()).toEqual({
      name: 'back-to-normal',
      phase: 'recovered',
      verdict: 'pass',
      measured: 1,
      limit: 3,
      unit: 'ms median',
      detail: 'slowest: limiter-1',
    });
    expect(judge({ latencyMs: slowIn((second) => second < 3) })).toMatchObject({ verdict: 'pass' });
  });

  it('fails an instance that stays slow to the end, be it the only one', () => {
    expect(judge({ latencyMs: always })).toMatchObject({
      verdict: 'fail',
      measured: 6,
      detail: 'limiter-1 was slow from 10.0 s to the end',
    });
    const ofOne = (i: number) => (i % 2 === 0 ? 1 : 6);
    expect(judge({ latencyMs: ofOne })).toMatchObject({ verdict: 'fail' });
  });

  it('allows twice the median of the baseline, and a millisecond', () => {
    expect(judge({ latencyMs: 3 })).toMatchObject({ verdict: 'pass' });
    expect(judge({ latencyMs: 3.1 })).toMatchObject({ verdict: 'fail' });
    expect(judge({ latencyMs: 6 }, { latencyMs: 3 })).toMatchObject({ verdict: 'pass' });
  });

  it('is unknown where it was slow for a part of the time, which noise may be', () => {
    expect(judge({ latencyMs: slowIn((second) => second === 3 || second === 4) })).toMatchObject({
      verdict: 'unknown',
    });
  });

  it('is unknown where the control is slower as well, or the machine was busy', () => {
    expect(judge({ latencyMs: always, controlLatencyMs: 1.5 })).toMatchObject({ verdict: 'fail' });
    expect(judge({ latencyMs: always, controlLatencyMs: 2 })).toMatchObject({ verdict: 'unknown' });
    const busy = { controlLatencyMs: (i: number) => (i % 20 === 0 ? 20 : 1) };
    expect(judge({ latencyMs: always, ...busy }, busy)).toMatchObject({ verdict: 'unknown' });
  });

  it('does not apply to a run that ends too soon, or has a baseline too short', () => {
    expect(judge({ ms: 3300 })).toMatchObject({ verdict: 'not applicable' });
    expect(judge({}, { rate: 300 })).toMatchObject({ verdict: 'not applicable' });
  });

  it('does not apply where nothing was healed', () => {
    expect(judge({}, {}, { faults: [] })).toMatchObject({ verdict: 'not applicable' });
  });
});
