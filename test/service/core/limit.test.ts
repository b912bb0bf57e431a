import { expect, it } from 'vitest';
import { createLimit } from '../../../service/core/limit.ts';

const windowMsOf = (capacity: number, refillPerSecond: number) =>
  createLimit({ name: 'search', capacity, refillPerSecond }).shared.quota.windowMs;

it('a limit tells the window that its rate was made of, whatever its capacity', () => {
  for (const seconds of [1, 7, 60, 3600, 86_400, 31_536_000])
    for (let capacity = 1; capacity <= 1000; capacity++)
      expect(windowMsOf(capacity, capacity / seconds)).toBe(1000 * seconds);
});

it('a window that is no whole number stays one', () => {
  expect(windowMsOf(1, 3)).toBe(333.333333333333);
  expect(windowMsOf(1, 1_000_000)).toBe(0.001);
});
