import { describe, expect, it } from 'vitest';
import { retryMs } from '../../../service/redis/options.ts';

describe('retryMs', () => {
  it('doubles from 50 ms to half a second, and takes up to half of it off by chance', () => {
    const most = [50, 100, 200, 400, 500, 500, 500];
    for (const [i, mostMs] of most.entries()) {
      const drawn = Array.from({ length: 1000 }, () => retryMs(i + 1));
      expect([Math.min(...drawn) >= mostMs / 2, Math.max(...drawn) <= mostMs, new Set(drawn).size > 1]).toEqual([
        true,
        true,
        true,
      ]);
    }
    expect(retryMs(1000)).toBeLessThanOrEqual(500);
  });
});
