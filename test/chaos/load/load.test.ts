import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../chaos/errors.ts';
import { arrivalsOf, freshKeySuffix, type LoadPlan, requestsOf } from '../../../chaos/load/load.ts';
import { seeToItThatPossible } from '../../../chaos/load/load-changes.ts';
import type { LoadChange } from '../../../chaos/scenario.ts';
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

  describe('whose load changes', () => {
    const [during, earlier, later] = [
      (atMs: number) => atMs >= 5000 && atMs < 8000,
      (atMs: number) => atMs < 5000,
      (atMs: number) => atMs >= 8000,
    ];
    const changed = (change: Omit<LoadChange, 'atMs' | 'forMs'>) =>
      arrivals({ load: [{ atMs: 5000, forMs: 3000, ...change }] });
    const counts = (all: ReturnType<typeof arrivals>) =>
      [earlier, during, later].map((when) => all.filter(({ atMs }) => when(atMs)).length);

    it('keeps to each rate in its time, and is in order', () => {
      const all = changed({ times: 10 });
      const [less = 0, more = 0, again = 0] = counts(all);
      expect([near(less, 5000), near(more, 30_000), near(again, 12_000)]).toEqual([true, true, true]);
      expect(all.map(({ atMs }) => atMs)).toEqual(all.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
      expect(all.filter(({ atMs }) => earlier(atMs))).toEqual(arrivals().filter(({ atMs }) => earlier(atMs)));
    });

    it('asks for one key alone, or for each key once, and for the usual ones before and after', () => {
      const keysOf = (all: ReturnType<typeof arrivals>, when: (atMs: number) => boolean) =>
        all.flatMap(({ atMs, key }) => (when(atMs) ? [key] : []));
      const [one, fresh] = [changed({ keys: 'one' }), changed({ keys: 'new' })];
      expect(new Set(keysOf(one, during))).toEqual(new Set(['k0']));
      expect(new Set(keysOf(fresh, during)).size).toBe(keysOf(fresh, during).length);
      for (const all of [one, fresh])
        for (const when of [earlier, later]) expect(new Set(keysOf(all, when)).size).toBeGreaterThan(300);
    });

    it('sends each request again as often as it says, to the same instance for the same key', () => {
      const all = changed({ again: 2 }).filter(({ atMs }) => during(atMs));
      const each = [...Map.groupBy(all, ({ atMs }) => atMs).values()];
      expect(each.every((its) => its.length === 3 && new Set(its.map((it) => JSON.stringify(it))).size === 1)).toBe(
        true,
      );
      expect(near(each.length, 3000)).toBe(true);
    });

    it('tells beforehand how many requests each instance gets', () => {
      const load = [{ atMs: 5000, forMs: 3000, times: 2, again: 1 }];
      const counted = countOf(arrivals({ load }).map(({ target }) => target));
      expect(requestsOf({ ...plan, load }, ['one', 'two'], 'control')).toEqual({
        one: counted.get(0),
        two: counted.get(1),
        control: counted.get(0),
      });
    });

    it.each<[Partial<LoadChange>, string]>([
      [{ atMs: -1 }, 'is to change at -1 ms; it can from 0 on.'],
      [{ forMs: 0 }, 'is to change for 0 ms; it has to be longer than 0.'],
      [{ forMs: 16_000 }, 'is to change until 21000 ms; the run ends at 20000 ms.'],
      [{ times: 0 }, 'is to be 0 times the usual; it has to be more than 0.'],
      [{ again: 0.5 }, 'is to be sent 0.5 times again; allowed: a whole number from 0.'],
      [{ forMs: 4000 }, 'is to change at 8000 ms, before the change ends that ends at 9000 ms.'],
    ])('with %j is refused before anything is started', (change, mistake) => {
      const load = [
        { atMs: 5000, forMs: 3000, ...change },
        { atMs: 8000, forMs: 1000 },
      ];
      const timing = { warmupMs: 1000, durationMs: 20_000 };
      expect(() => seeToItThatPossible({ name: 'mine', timing, load })).toThrow(
        new UsageError(`The scenario mine cannot be run: its load ${mistake}`),
      );
    });
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
