import fc from 'fast-check';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { ascending, designEffect, quantile, quantileBounds } from '../../../chaos/checks/quantile.ts';

const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('a quantile', () => {
  it('is a value of the sample, by nearest rank', () => {
    expect([0, 0.5, 0.99, 1].map((q) => quantile(oneTo(200), q))).toEqual([1, 100, 198, 200]);
  });

  it('is not a number for an empty sample', () => {
    expect(quantile([], 0.99)).toBeNaN();
  });

  it('has at least its share of the sample at or under it', () => {
    const sample = fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(sample, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const at = quantile(ascending(values), q);
        expect(values.filter((value) => value <= at).length).toBeGreaterThanOrEqual(Math.floor(q * values.length));
        expect(values).toContain(at);
      }),
      { seed: 42 },
    );
  });
});

describe('the bounds of a quantile', () => {
  it('are infinite where the sample is too small to have such an order statistic', () => {
    expect(quantileBounds([], 0.99)).toEqual({
      lower: Number.NEGATIVE_INFINITY,
      estimate: Number.NaN,
      upper: Number.POSITIVE_INFINITY,
    });
    expect(quantileBounds(oneTo(100), 0.99).upper).toBe(Number.POSITIVE_INFINITY);
    expect(quantileBounds(oneTo(300), 0.99).upper).toBe(Number.POSITIVE_INFINITY);
  });

  it('exist from 500 values on, which is what the latency check asks for', () => {
    expect(quantileBounds(oneTo(500), 0.99)).toEqual({ lower: 491, estimate: 495, upper: 500 });
  });

  it.each([500, 1000, 8000])('each hold the true p99 in 95 of 100 samples of %i, whatever the distribution', (n) => {
    const random = xoroshiro128plus(42);
    const trials = n > 1000 ? 300 : 1500;
    const slow = (u: number) => (-Math.log(1 - u)) ** 3; // a long tail
    const truth = slow(0.99);
    let lowerHolds = 0;
    let upperHolds = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { lower, upper } = quantileBounds(ascending(oneTo(n).map(() => slow(uniformFloat64(random)))), 0.99);
      if (lower <= truth) lowerHolds++;
      if (upper >= truth) upperHolds++;
    }
    // Three standard deviations of the simulation itself under 95 %.
    const enough = 0.95 - 3 * Math.sqrt((0.95 * 0.05) / trials);
    expect(lowerHolds / trials).toBeGreaterThan(enough);
    expect(upperHolds / trials).toBeGreaterThan(enough);
  });
});

describe('the design effect', () => {
  it('is 1 where the cases fall evenly, or there are none', () => {
    expect(designEffect(oneTo(100).map(() => ({ count: 50, cases: 1 })))).toBe(1);
    expect(designEffect([{ count: 50, cases: 0 }])).toBe(1);
    expect(designEffect([])).toBe(1);
  });

  it('is near the size of the clusters where each is of cases, or of none', () => {
    const effect = designEffect(oneTo(100).map((i) => ({ count: 50, cases: i % 20 === 0 ? 50 : 0 })));
    expect(effect).toBeCloseTo(50, 6);
  });

  it('widens the bounds by its square root', () => {
    const { lower, upper } = quantileBounds(oneTo(10_000), 0.99, 4);
    expect([9900 - lower, upper - 9900]).toEqual([33, 34]);
    expect(quantileBounds(oneTo(500), 0.99, 2).upper).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('ascending', () => {
  it('sorts by value, infinities last', () => {
    expect(ascending([10, 9, Number.POSITIVE_INFINITY, 100, -1])).toEqual([-1, 9, 10, 100, Number.POSITIVE_INFINITY]);
  });
});
