import { expect, it } from 'vitest';
import { arrivalsOf, requestsOf } from '../../../chaos/load/load.ts';

it('the planned requests are the arrivals of each instance, and the control gets those of the first', () => {
  const schedule = { seed: 7, rate: 1000, durationMs: 2000, keys: { count: 10, skew: 1 }, targets: [0, 1] };
  const arrivals = [...arrivalsOf(schedule)];
  const of = (index: number) => arrivals.filter(({ target }) => target === index).length;
  const requests = requestsOf(schedule, ['limiter-1', 'limiter-2'], 'limiter-control');
  expect(requests).toEqual({ 'limiter-1': of(0), 'limiter-2': of(1), 'limiter-control': of(0) });
});
