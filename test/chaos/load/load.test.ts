import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalsOf, freshKeySuffix, type LoadPlan } from '../../../chaos/load/load.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';

const target = (instance: string) => ({ instance, url: 'http://127.0.0.1:1' });
const plan: LoadPlan = {
  seed: 42,
  rate: 1000,
  durationMs: 20_000,
  keys: { count: 400, skew: 1 },
  keySuffix: '-0a1b2c3d4e',
  target: failopen,
  targets: [target('limiter-1'), target('limiter-2')],
  control: target('limiter-control'),
};

const arrivals = (changes: Partial<LoadPlan> = {}) => [...arrivalsOf({ ...plan, ...changes })];
const countOf = (values: Iterable<unknown>) =>
  Array.from(values).reduce((counts: Map<unknown, number>, v) => counts.set(v, (counts.get(v) ?? 0) + 1), new Map());

/** Whether a Poisson or binomial count is within five standard deviations of what is expected. */
const near = (count: number, expected: number) => Math.abs(count - expected) <= 5 * Math.sqrt(expected);

describe('a schedule', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(arrivals()).toEqual(arrivals());
    expect(arrivals({ seed: 43 })).not.toEqual(arrivals());
  });

  it('is the same whatever the run calls its keys', () => {
    expect(arrivals({ keySuffix: '-ffffffffff' })).toEqual(arrivals());
  });

  it('has no more to do with where the targets are than their number', () => {
    expect(arrivals({ targets: [target('a'), target('b')], control: target('c') })).toEqual(arrivals());
  });

  it('is ordered, within its duration, and asks targets and keys that exist', () => {
    const plans = fc.record({
      seed: fc.nat({ max: 0x7fffffff }),
      rate: fc.integer({ min: 1, max: 20_000 }),
      durationMs: fc.integer({ min: 0, max: 300 }),
      keys: fc.record({ count: fc.integer({ min: 1, max: 500 }), skew: fc.double({ min: 0, max: 2, noNaN: true }) }),
    });
    fc.assert(
      fc.property(plans, (changes) => {
        let lastMs = 0;
        for (const { atMs, key, target } of arrivals(changes)) {
          const rank = Number(/^k(\d+)$/.exec(key)?.[1]);
          if (atMs < lastMs || atMs >= changes.durationMs) throw new Error(`${atMs} after ${lastMs}`);
          if (!(rank < changes.keys.count) || (target !== 0 && target !== 1)) throw new Error(`${key} to ${target}`);
          lastMs = atMs;
        }
      }),
      { seed: 42 },
    );
  });

  it.each([1, 7, 42, 1000])('keeps to its rate, within what chance allows, with seed %i', (seed) => {
    const all = arrivals({ seed });
    expect(near(all.length, 20_000)).toBe(true);
    for (let second = 0; second < 20; second++) {
      const within = all.filter(({ atMs }) => Math.floor(atMs / 1000) === second).length;
      expect(near(within, 1000)).toBe(true);
    }
  });

  it('has the gaps of a Poisson process: a share of 1/e is longer than the mean', () => {
    const all = arrivals();
    const long = all.filter(({ atMs }, i) => i > 0 && atMs - (all[i - 1]?.atMs ?? 0) > 1).length;
    expect(near(long, all.length / Math.E)).toBe(true);
  });

  it('divides itself evenly among the targets', () => {
    const counts = countOf(arrivals().map((arrival) => arrival.target));
    expect([...counts.keys()].sort()).toEqual([0, 1]);
    for (const count of counts.values()) expect(near(count, 10_000)).toBe(true);
  });

  it('asks for keys by the law of Zipf: the n-th most popular 1/n as often as the first', () => {
    const counts = countOf(arrivals().map(({ key }) => key));
    const harmonic = Array.from({ length: 400 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
    for (const rank of [1, 2, 3, 10, 50]) {
      expect(near(counts.get(`k${rank - 1}`) ?? 0, 20_000 / rank / harmonic)).toBe(true);
    }
  });

  it('asks for all keys alike without skew', () => {
    const counts = countOf(arrivals({ keys: { count: 10, skew: 0 } }).map(({ key }) => key));
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(near(count, 2000)).toBe(true);
  });
});

describe("the suffix of a run's keys", () => {
  it('is another one each time, and what a header and a name in Redis may hold', () => {
    const suffixes = Array.from({ length: 1000 }, freshKeySuffix);
    expect(new Set(suffixes).size).toBe(1000);
    expect(suffixes.filter((suffix) => !/^-[0-9a-f]{10}$/.test(suffix))).toEqual([]);
  });
});
