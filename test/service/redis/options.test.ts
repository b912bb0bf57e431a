import { afterEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../../service/redis/backoff.ts';
import { retryMs } from '../../../service/redis/options.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** The shortest and the longest that can be drawn. */
function rangeOf(attempt: number, instances: number | undefined): [leastMs: number, mostMs: number] {
  const drawnAt = (chance: number) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    return retryMs(attempt, instances);
  };
  return [drawnAt(0), drawnAt(1 - Number.EPSILON)];
}

describe('retryMs', () => {
  it.each([
    [1, 50],
    [2, 75],
    [14, 375],
    [19, 500],
    [20, 500],
    [1000, 500],
    [undefined, 500],
  ])(
    'of %s instances waits for 25 ms at the least before the first attempt, and %s ms at the most',
    (instances, mostMs) => {
      expect(rangeOf(1, instances)).toEqual([25, mostMs]);
    },
  );

  it.each([
    [1, [50, 100, 200, 400, 500, 500, 500]],
    [14, [375, 500, 500, 500, 500, 500, 500]],
    [undefined, [500, 500, 500, 500, 500, 500, 500]],
  ])('of %s instances doubles both ends with each attempt, up to 250 ms and 500 ms', (instances, mostMs) => {
    const leastMs = [25, 50, 100, 200, 250, 250, 250];
    expect(leastMs.map((_, i) => rangeOf(i + 1, instances))).toEqual(leastMs.map((least, i) => [least, mostMs[i]]));
    expect(rangeOf(5000, instances)).toEqual([250, 500]);
  });

  it.each([1, 2, 14, 20, 1000])(
    'draws the first waits of %s instances so that no 50 ms have far more than their share',
    (instances) => {
      const drawn = Array.from({ length: 1000 }, () => retryMs(1, instances)).sort((a, b) => a - b);
      const within50Ms = drawn.map((fromMs) => drawn.filter((ms) => ms >= fromMs && ms < fromMs + 50).length);
      const widthMs = Math.min(25 * instances, 475);
      expect(Math.max(...within50Ms) / drawn.length).toBeLessThanOrEqual(Math.min(1, 50 / widthMs + 0.1));
    },
  );
});

describe('Backoff', () => {
  it('goes by the instances that there are when it is asked', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
    const known: (number | undefined)[] = [undefined, 1, 14];
    const waits = known.map((instances) => new Backoff(() => instances).nextMs());
    expect(waits).toEqual([500, 50, 375]);
  });
});
