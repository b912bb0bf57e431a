import { describe, expect, it } from 'vitest';
import { memory } from '../../../chaos/checks/memory.ts';
import type { MemoryEvent } from '../../../chaos/history.ts';
import { buildHistory } from '../../support/history-builder.ts';

const bytesPerMiB = 1024 * 1024;
/** A look each half second for ten; the first two are those of the baseline. */
const looks = (mebibytesAt: (second: number) => number, instance = 'limiter-1'): MemoryEvent[] =>
  Array.from({ length: 20 }, (_, i) => i / 2).map((second) => ({
    type: 'memory',
    instance,
    atMs: second * 1000,
    residentBytes: mebibytesAt(second) * bytesPerMiB,
  }));
const judge = (seen: readonly MemoryEvent[], bounds: { memoryGrowthMiB?: number } = { memoryGrowthMiB: 32 }) =>
  memory.judge(buildHistory({ memory: seen, bounds }))[0];

describe('the check of memory', () => {
  it('passes an instance that needs little more than in its baseline', () => {
    expect(judge(looks((second) => 100 + second))).toEqual({
      name: 'memory',
      phase: 'all',
      verdict: 'pass',
      measured: 7.5,
      limit: 32,
      unit: 'MiB more',
      detail: 'limiter-1 had 101 MiB at most in its baseline, and 9.0 MiB more at the most afterwards',
    });
  });

  it('fails one that grows on and on, be it one of two', () => {
    const growing = looks((second) => 100 + 10 * second, 'limiter-2');
    expect(judge([...looks(() => 100), ...growing])).toMatchObject({
      verdict: 'fail',
      measured: 75,
      detail: 'limiter-2 had 105 MiB at most in its baseline',
    });
  });

  it('fails one that keeps what it took in the fault', () => {
    expect(judge(looks((second) => (second < 2 ? 100 : 140)))).toMatchObject({ verdict: 'fail', measured: 40 });
  });

  it('passes one that gives back by the end what it took meanwhile, at least once', () => {
    expect(judge(looks((second) => (second < 2 || second === 9 ? 100 : 140)))).toMatchObject({ verdict: 'pass' });
  });

  it('passes one that was started anew, with less', () => {
    expect(judge(looks((second) => (second < 3 ? 100 : 40)))).toMatchObject({ verdict: 'pass', measured: -60 });
  });

  it('holds nothing of the control against anybody', () => {
    const control = looks((second) => 100 + 50 * second, 'limiter-control');
    expect(judge([...looks(() => 100), ...control])).toMatchObject({ verdict: 'pass' });
  });

  it('is not applicable where the target promises nothing, or nobody saw it', () => {
    expect(
      judge(
        looks(() => 100),
        {},
      ),
    ).toMatchObject({ verdict: 'not applicable' });
    expect(judge([])).toMatchObject({ verdict: 'not applicable' });
    expect(judge(looks(() => 100).slice(4))).toMatchObject({ verdict: 'not applicable' }); // none in the baseline
    expect(judge(looks(() => 100).slice(0, 10))).toMatchObject({ verdict: 'not applicable' }); // none in the end
  });
});
