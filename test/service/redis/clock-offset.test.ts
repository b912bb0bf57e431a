import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockOffset } from '../../../service/redis/clock-offset.ts';

const epochUs = 1_750_000_000_000_000;

describe('ClockOffset', () => {
  it('knows nothing before the first reply', () => {
    expect(new ClockOffset().toRedisUs(1000)).toBeUndefined();
  });

  it('knows nothing after it was told to forget', () => {
    const offset = new ClockOffset();
    offset.learn(epochUs, 0, 100);
    offset.forget();
    expect(offset.toRedisUs(1000)).toBeUndefined();
  });

  it('is exact after a reply that took no time on the way back', () => {
    const offset = new ClockOffset();
    offset.learn(epochUs + 1000, 700, 1000);
    expect(offset.toRedisUs(1000)).toBe(epochUs + 1000);
  });

  it('is early by the way back of the quickest reply', () => {
    const offset = new ClockOffset();
    offset.learn(epochUs + 1000, 0, 1400);
    offset.learn(epochUs + 1500, 1450, 1550);
    offset.learn(epochUs + 1600, 1000, 3000);
    expect(offset.toRedisUs(3000)).toBe(epochUs + 3000 - 51); // 50 of the second reply, and under 1 for drift
  });

  /** Replies at random times over clocks that drift apart at random, under 500 ppm; times in µs. */
  const exchange = fc.record({
    pauseUs: fc.integer({ min: 0, max: 60_000_000 }),
    outUs: fc.integer({ min: 0, max: 200_000 }),
    backUs: fc.integer({ min: 0, max: 200_000 }),
    driftPpm: fc.double({ min: -490, max: 490, noNaN: true }),
    deadlineUs: fc.integer({ min: 0, max: 60_000_000 }),
  });

  /** What is told of the deadline of each of any exchanges, and when it truly is. */
  const holdsFor = (
    numRuns: number,
    check: (estimateUs: number | undefined, trueUs: number, backUs: number, deadlineUs: number) => void,
  ) =>
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1, maxLength: 30, size: 'max' }), (exchanges) => {
        const offset = new ClockOffset();
        let hereUs = 5_000_000;
        let redisUs = epochUs;
        for (const { pauseUs, outUs, backUs, driftPpm, deadlineUs } of exchanges) {
          const drift = (us: number) => us * (1 + driftPpm / 1e6);
          redisUs += drift(pauseUs + outUs);
          const sentUs = hereUs + pauseUs;
          const readUs = Math.floor(redisUs); // as TIME does
          redisUs += drift(backUs);
          hereUs = sentUs + outUs + backUs;
          offset.learn(readUs, sentUs, hereUs);
          check(offset.toRedisUs(hereUs + deadlineUs), redisUs + drift(deadlineUs), backUs, deadlineUs);
        }
      }),
      { numRuns },
    );

  it('never puts a deadline later than it is, for any drift below 500 ppm and any round trip', () => {
    holdsFor(5000, (estimateUs, trueUs) => expect(estimateUs).toBeLessThanOrEqual(trueUs));
  });

  it('is early by no more than the last way back, the fraction of a microsecond and the drift allowed for', () => {
    holdsFor(2000, (estimateUs, trueUs, backUs, deadlineUs) =>
      expect(estimateUs).toBeGreaterThanOrEqual(trueUs - backUs - 0.001 * (backUs + deadlineUs) - 3),
    );
  });

  it.each([
    ['forwards', 10_000],
    ['far forwards', 3_600_000_000],
    ['backwards', -10_000],
    ['far backwards', -3_600_000_000],
  ])("is right one reply after Redis's clock was set %s by more than the round trip", (_, jumpUs) => {
    const offset = new ClockOffset();
    for (let i = 0; i < 10; i++) offset.learn(epochUs + 1000 * i + 40, 1000 * i, 1000 * i + 80);
    offset.learn(epochUs + jumpUs + 20_040, 20_000, 20_090);
    expect(offset.toRedisUs(20_090)).toBe(epochUs + jumpUs + 20_040);
  });

  it('after a step back within the round trip is late by no more than the way out of the reply that told it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -200_000, max: -1 }),
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 0, max: 200_000 }),
        (jumpUs, outUs, backUs) => {
          const offset = new ClockOffset();
          offset.learn(epochUs + 10, 0, 10);
          offset.learn(epochUs + jumpUs + 1000 + outUs, 1000, 1000 + outUs + backUs);
          const trueUs = epochUs + jumpUs + 1000 + outUs + backUs;
          expect(offset.toRedisUs(1000 + outUs + backUs)).toBeLessThanOrEqual(trueUs + outUs);
        },
      ),
    );
  });
});
