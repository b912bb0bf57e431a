import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalStore } from '../../../service/core/local-store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const limit = limitOf(3, 1);
const { quota } = limit.fallback;
const take = takesOf(limit);

/** A store on a clock that the test moves. */
function onFakeClock(keysMax = 100) {
  const clock = { us: 1_000_000 };
  return { clock, store: new LocalStore({ keysMax, nowUs: () => clock.us }) };
}

describe('LocalStore', () => {
  it('decides as the fallback, with everything that a client is told', () => {
    const { store } = onFakeClock();
    expect([store.decide(take('a', 2)), store.decide(take('a', 2))]).toEqual([
      { allowed: true, limit: 3, remaining: 1, retryAfterMs: 0, resetMs: 2000, mechanism: 'fallback', quota },
      { allowed: false, limit: 3, remaining: 1, retryAfterMs: 1000, resetMs: 2000, mechanism: 'fallback', quota },
    ]);
  });

  it('has a bucket for each key', () => {
    const { store } = onFakeClock();
    store.decide(take('a', 3));
    expect([
      store.decide(take('a')).allowed,
      store.decide(take('b', 3)).allowed,
      store.decide(take('b')).allowed,
    ]).toEqual([false, true, false]);
  });

  it('refills at the rate of the policy and never above its capacity', () => {
    const { clock, store } = onFakeClock();
    store.decide(take('a', 3));
    clock.us += 999_999;
    expect(store.decide(take('a')).allowed).toBe(false);
    clock.us += 1;
    expect(store.decide(take('a'))).toEqual({
      allowed: true,
      limit: 3,
      remaining: 0,
      retryAfterMs: 0,
      resetMs: 3000,
      mechanism: 'fallback',
      quota,
    });
    clock.us += 3_600_000_000;
    expect([
      store.decide(take('a', 4)).allowed,
      store.decide(take('a', 3)).allowed,
      store.decide(take('a')).allowed,
    ]).toEqual([false, true, false]);
  });

  it('never allows a cost above the capacity, and says so', () => {
    const { store } = onFakeClock();
    expect(store.decide(take('a', 4))).toEqual({
      allowed: false,
      limit: 3,
      remaining: 3,
      retryAfterMs: Number.POSITIVE_INFINITY,
      resetMs: 0,
      mechanism: 'fallback',
      quota,
    });
  });

  it('keeps no bucket for a take that it denied to a key never seen', () => {
    const { store } = onFakeClock();
    store.decide(take('a', 4));
    expect(store.size).toBe(0);
  });

  it('forgets the buckets that have been full for a second as takes go on', () => {
    const { clock, store } = onFakeClock(10_000);
    for (let i = 0; i < 1000; i++) store.decide(take(`old-${i}`));
    expect(store.size).toBe(1000);
    clock.us += 2_000_000;
    // Each take looks at 2 buckets and adds 1 at the most.
    for (let i = 0; i < 800; i++) store.decide(take('new'));
    expect(store.size).toBe(1);
  });

  it('gives a key whose bucket is full, but not forgotten yet, no more than Redis last had for it', () => {
    const { clock, store } = onFakeClock();
    store.decide(take('a', 3));
    clock.us += 3_000_000;
    expect([store.decide(take('a', 2), () => 1).allowed, store.size, store.decide(take('a'), () => 1).allowed]).toEqual(
      [false, 1, true],
    );
  });

  it('never holds more buckets than allowed, however many keys come', () => {
    const { store } = onFakeClock(50);
    let sizeMax = 0;
    for (let i = 0; i < 5000; i++) {
      store.decide(take(`key-${i}`));
      sizeMax = Math.max(sizeMax, store.size);
    }
    expect(sizeMax).toBe(50);
  });

  it('still limits a key that came after the cap', () => {
    const { store } = onFakeClock(1);
    store.decide(take('first'));
    expect(Array.from({ length: 5 }, () => store.decide(take('late')).allowed)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('does not wash a denied key clean when others flood the store', () => {
    const { store } = onFakeClock(10);
    store.decide(take('denied', 3));
    for (let i = 0; i < 20_000; i++) store.decide(take(`flood-${i}`));
    expect(store.decide(take('denied')).allowed).toBe(false);
  });

  it('does not wash clean a key of the overflow when room comes up', () => {
    const { clock, store } = onFakeClock(1);
    store.decide(take('first')); // full again after 1 s
    store.decide(take('late', 3)); // in an overflow bucket, full again after 3 s
    clock.us += 1_000_000;
    // One token has come back, and the first bucket makes room.
    expect([2, 1, 1].map((cost) => store.decide(take('late', cost)).allowed)).toEqual([false, true, false]);
  });

  it('refills at its share of the rate when several instances share it, and tells the times of that', () => {
    const { clock, store } = onFakeClock();
    store.instances = 2;
    const halved = { ...quota, windowMs: 6000 };
    expect([store.decide(take('a', 3)), store.decide(take('a'))]).toEqual([
      { allowed: true, limit: 3, remaining: 0, retryAfterMs: 0, resetMs: 6000, mechanism: 'fallback', quota: halved },
      {
        allowed: false,
        limit: 3,
        remaining: 0,
        retryAfterMs: 2000,
        resetMs: 6000,
        mechanism: 'fallback',
        quota: halved,
      },
    ]);
    clock.us += 1_999_999;
    expect(store.decide(take('a')).allowed).toBe(false);
    clock.us += 1;
    expect([store.decide(take('a')).allowed, store.decide(take('a')).allowed]).toEqual([true, false]);
  });

  it('leaves every bucket as it is when the number of instances changes', () => {
    const { clock, store } = onFakeClock();
    store.decide(take('a', 3));
    clock.us += 500_000; // half a token
    store.instances = 4;
    expect(store.decide(take('a'))).toMatchObject({
      allowed: false,
      remaining: 0,
      retryAfterMs: 2000,
      resetMs: 10_000,
    });
    clock.us += 2_000_000; // the other half, at a quarter of the rate
    store.instances = 1;
    expect([store.decide(take('a')), store.decide(take('a'))]).toMatchObject([
      { allowed: true, remaining: 0, resetMs: 3000 },
      { allowed: false, retryAfterMs: 1000 },
    ]);
  });

  it('never admits more than the shares over time allow, however the number of instances changes', () => {
    const step = fc.record({
      instances: fc.integer({ min: 1, max: 5 }),
      waitUs: fc.integer({ min: 0, max: 2_500_000 }),
      cost: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) => {
        const { clock, store } = onFakeClock();
        let level = 3; // tokens
        for (const { instances, waitUs, cost } of steps) {
          clock.us += waitUs;
          level = Math.min(3, level + waitUs / 1_000_000 / store.instances);
          store.instances = instances;
          const { allowed, remaining } = store.decide(take('a', cost));
          if (allowed) level -= cost;
          expect(level).toBeGreaterThanOrEqual(-1e-4); // whole microseconds
          expect(remaining).toBeLessThanOrEqual(level + 1e-4);
          if (!allowed) expect(level).toBeLessThan(cost + 1e-4);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('starts a bucket with so many tokens as it is told, at the most its capacity', () => {
    const { store } = onFakeClock();
    const start = (key: string, tokens: number) => {
      const { allowed, remaining, retryAfterMs, resetMs } = store.decide(take(key), () => tokens);
      return [allowed, remaining, retryAfterMs, resetMs];
    };
    expect([start('none', 0), start('half', 0.5), start('one', 1), start('some', 2.5), start('more', 9)]).toEqual([
      [false, 0, 1000, 3000],
      [false, 0, 500, 2500],
      [true, 0, 0, 3000],
      [true, 1, 0, 1500],
      [true, 2, 0, 1000],
    ]);
  });

  it('keeps the bucket of a key that it denied with the tokens it was told, and heeds no second telling', () => {
    const { clock, store } = onFakeClock();
    store.decide(take('a'), () => 0);
    expect([store.size, store.decide(take('a'), () => 3).allowed]).toEqual([1, false]);
    clock.us += 1_000_000;
    expect(store.decide(take('a'), () => 0).allowed).toBe(true);
  });

  it('fills the bucket of a key that is forgotten, and leaves the others', () => {
    const { store } = onFakeClock();
    store.decide(take('a', 3));
    store.decide(take('b', 3));
    store.forget('a');
    expect([store.decide(take('a', 3)).allowed, store.decide(take('b')).allowed]).toEqual([true, false]);
  });

  it('does not fill a shared bucket for one of its keys', () => {
    const { store } = onFakeClock(1);
    store.decide(take('first'));
    store.decide(take('late', 3));
    store.forget('late');
    expect(store.decide(take('late')).allowed).toBe(false);
  });

  it('admits no key more than its bucket over any window, whatever the keys, the order, the times and the cap', () => {
    const step = fc.record({
      key: fc.nat({ max: 12 }).map((n) => `key-${n}`),
      cost: fc.integer({ min: 1, max: 4 }),
      waitUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_500_000 })),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
        (keysMax, steps) => {
          const { clock, store } = onFakeClock(keysMax);
          /** The leaky bucket of bound 1, in tokens, exact in millionths. */
          const poured = new Map<string, { atUs: number; levelUs: number }>();
          for (const { key, cost, waitUs } of steps) {
            clock.us += waitUs;
            const before = poured.get(key) ?? { atUs: clock.us, levelUs: 0 };
            if (store.decide(take(key, cost)).allowed) {
              const levelUs = Math.max(before.levelUs - (clock.us - before.atUs), 0) + cost * 1_000_000;
              expect(levelUs).toBeLessThanOrEqual(3_000_000);
              poured.set(key, { atUs: clock.us, levelUs });
            }
            expect(store.size).toBeLessThanOrEqual(keysMax);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses nobody who has tokens while there is room for every key', () => {
    const step = fc.record({
      key: fc.nat({ max: 5 }).map((n) => `key-${n}`),
      cost: fc.integer({ min: 1, max: 3 }),
      waitUs: fc.integer({ min: 0, max: 2_500_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) => {
        const { clock, store } = onFakeClock(6);
        const poured = new Map<string, { atUs: number; levelUs: number }>();
        for (const { key, cost, waitUs } of steps) {
          clock.us += waitUs;
          const before = poured.get(key) ?? { atUs: clock.us, levelUs: 0 };
          const levelUs = Math.max(before.levelUs - (clock.us - before.atUs), 0) + cost * 1_000_000;
          const fits = levelUs <= 3_000_000;
          expect(store.decide(take(key, cost)).allowed).toBe(fits);
          if (fits) poured.set(key, { atUs: clock.us, levelUs });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
