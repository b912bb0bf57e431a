import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpaceSaving } from '../../../service/metrics/space-saving.ts';

describe('SpaceSaving', () => {
  it('counts exactly while there is room, most counted first', () => {
    const sketch = new SpaceSaving<string>(3);
    for (const key of ['a', 'b', 'b', 'c', 'b', 'c']) sketch.add(key, key.toUpperCase());
    expect(sketch.all()).toEqual([
      { item: 'B', count: 3, error: 0 },
      { item: 'C', count: 2, error: 0 },
      { item: 'A', count: 1, error: 0 },
    ]);
    expect(sketch.unlistedMax).toBe(1); // no room for a fourth
  });

  it('never counts too low, nor too high by more than it says, and lists whoever has more than their part', () => {
    const keys = fc.array(
      fc.oneof({ arbitrary: fc.nat({ max: 2 }), weight: 2 }, { arbitrary: fc.nat({ max: 40 }), weight: 3 }),
      { maxLength: 300, size: 'max' },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), keys, (keysMax, added) => {
        const sketch = new SpaceSaving<number>(keysMax);
        const exact = new Map<number, number>();
        for (const key of added) {
          sketch.add(String(key), key);
          exact.set(key, (exact.get(key) ?? 0) + 1);
        }
        const all = sketch.all();
        expect(all.length).toBe(Math.min(keysMax, exact.size));
        expect(new Set(all.map(({ item }) => item)).size).toBe(all.length);
        expect(all.map(({ count }) => count)).toEqual(all.map(({ count }) => count).sort((one, other) => other - one));
        expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(added.length);
        for (const { item, count, error } of all) {
          const truth = exact.get(item) as number;
          expect([count >= truth, count - error <= truth]).toEqual([true, true]);
        }
        const listed = new Set(all.map(({ item }) => item));
        for (const [key, count] of exact) if (!listed.has(key)) expect(count).toBeLessThanOrEqual(sketch.unlistedMax);
        expect(sketch.unlistedMax).toBeLessThanOrEqual(added.length / keysMax);
      }),
      { numRuns: 500 },
    );
  });
});
