import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decisionOf } from '../../../service/core/decision.ts';
import { LastDecisions } from '../../../service/core/last-decisions.ts';
import type { Charge } from '../../../service/core/store.ts';
import { take } from '../../../service/core/token-bucket.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const limit = limitOf(3, 1);
const bucket = limit.shared;
const { quota } = bucket;
const takeFor = takesOf(limit);
const chargeFor = (key: string) => takeFor(key).charges[0] as Charge;
const secondUs = 1_000_000;

/** What Redis says of a bucket that is `debtUs` from full. */
const decided = (debtUs: number, allowed = true) => decisionOf(bucket, { allowed, debtUs }, 1, 'redis');
const memory = (keysMax = 10) => new LastDecisions(keysMax, 'redis');
const denial = (last: LastDecisions, key: string, cost: number, nowUs: number) =>
  last.denialOf(takeFor(key, cost), last.placeOf(takeFor(key)), nowUs);

describe('LastDecisions', () => {
  it('knows nothing of a key of which Redis said nothing', () => {
    const last = memory();
    expect([denial(last, 'a', 3, 0), last.tokensMax(chargeFor('a'), 0), last.size]).toEqual([
      undefined,
      Number.POSITIVE_INFINITY,
      0,
    ]);
  });

  it('repeats a denial until the bucket holds a token again, with the time that is left', () => {
    const last = memory();
    last.learn(takeFor('a'), decided(3 * secondUs, false), 0);
    const denied = { allowed: false, limit: 3, remaining: 0, mechanism: 'redis', quota };
    expect([0, 0.25, 0.999_999, 1].map((s) => denial(last, 'a', 1, s * secondUs))).toEqual([
      { ...denied, retryAfterMs: 1000, resetMs: 3000 },
      { ...denied, retryAfterMs: 750, resetMs: 2750 },
      { ...denied, retryAfterMs: 0.001, resetMs: 2000.001 },
      undefined,
    ]);
  });

  it('denies after an admission that took the last token', () => {
    const last = memory();
    last.learn(takeFor('a'), decided(3 * secondUs), 0);
    expect(denial(last, 'a', 1, 500_000)).toEqual({
      allowed: false,
      limit: 3,
      remaining: 0,
      retryAfterMs: 500,
      resetMs: 2500,
      mechanism: 'redis',
      quota,
    });
  });

  it('denies only the cost that is certainly too much', () => {
    const last = memory();
    last.learn(takeFor('a'), decided(2 * secondUs), 0);
    expect([1, 2, 3, 4].map((cost) => denial(last, 'a', cost, 0)?.retryAfterMs)).toEqual([
      undefined,
      1000,
      2000,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('says how many tokens Redis has at the most, with their fraction, as they refill', () => {
    const last = memory();
    last.learn(takeFor('a'), decided(3 * secondUs), 0);
    expect([0, 0.5, 2.75, 3, 4].map((s) => last.tokensMax(chargeFor('a'), s * secondUs))).toEqual([
      0,
      0.5,
      2.75,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('holds to the last word, whether more or less than before', () => {
    const last = memory();
    last.learn(takeFor('a'), decided(3 * secondUs), 0);
    last.learn(takeFor('a'), decided(secondUs), 0);
    expect([last.tokensMax(chargeFor('a'), 0), last.size]).toEqual([2, 1]);
  });

  it('forgets a key that was reset, and no other; and all when Redis may be another', () => {
    const last = memory();
    for (const key of ['a', 'b', 'c']) last.learn(takeFor(key), decided(3 * secondUs), 0);
    last.forgive({ bucket: chargeFor('a').bucket, us: Number.POSITIVE_INFINITY });
    expect(['a', 'b'].map((key) => denial(last, key, 1, 0)?.allowed)).toEqual([undefined, false]);
    last.clear();
    expect([last.size, denial(last, 'b', 1, 0), last.tokensMax(chargeFor('c'), 0)]).toEqual([
      0,
      undefined,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('knows of what a key was given back, and of nothing that it did not know before', () => {
    const last = memory();
    for (const key of ['a', 'b']) last.learn(takeFor(key), decided(3 * secondUs), 0);
    last.forgive({ bucket: chargeFor('a').bucket, us: 1.5 * secondUs });
    last.forgive({ bucket: chargeFor('c').bucket, us: 1.5 * secondUs });
    expect([1, 2].map((cost) => denial(last, 'a', cost, 0)?.retryAfterMs)).toEqual([undefined, 500]);
    expect([denial(last, 'b', 1, 0)?.retryAfterMs, last.size]).toEqual([1000, 2]);
    last.forgive({ bucket: chargeFor('a').bucket, us: 9 * secondUs });
    expect(last.tokensMax(chargeFor('a'), 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('remembers so many keys at the most, and forgets the one that came first', () => {
    const last = memory(2);
    for (const key of ['a', 'b', 'b', 'c']) last.learn(takeFor(key), decided(3 * secondUs), 0);
    expect(['a', 'b', 'c'].map((key) => last.tokensMax(chargeFor(key), 0))).toEqual([Number.POSITIVE_INFINITY, 0, 0]);
    expect(last.size).toBe(2);
  });

  it('forgets what has been full for a second as it learns of other keys', () => {
    const last = memory(1000);
    for (let i = 0; i < 100; i++) last.learn(takeFor(`old-${i}`), decided(secondUs), 0);
    for (let i = 0; i < 100; i++) last.learn(takeFor('new'), decided(secondUs), 2 * secondUs);
    expect(last.size).toBe(1);
  });

  it('denies nothing that Redis would admit, and knows of no fewer tokens than Redis has, whatever others take', () => {
    const step = fc.record({
      waitUs: fc.integer({ min: 0, max: 1_500_000 }),
      delayUs: fc.integer({ min: 0, max: 5000 }),
      cost: fc.integer({ min: 1, max: 4 }),
      /** Whether this instance hears the answer. */
      ours: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
        const last = memory();
        let nowUs = 0;
        let fullAtUs = 0; // of Redis's bucket
        for (const { waitUs, delayUs, cost, ours } of steps) {
          nowUs += waitUs;
          const arrivedUs = nowUs;
          const place = last.placeOf(takeFor('a'));
          const denied = ours ? last.denialOf(takeFor('a', cost), place, nowUs) : undefined;
          if (denied) {
            const would = take(bucket, fullAtUs, nowUs, cost);
            expect(would.allowed).toBe(false);
            expect(denied.retryAfterMs).toBeLessThanOrEqual(decisionOf(bucket, would, cost, 'redis').retryAfterMs);
          } else {
            nowUs += delayUs; // on the way to Redis
            const taken = take(bucket, fullAtUs, nowUs, cost);
            if (taken.allowed) fullAtUs = nowUs + taken.debtUs;
            if (ours) last.learn(takeFor('a'), decisionOf(bucket, taken, cost, 'redis'), arrivedUs, place);
          }
          const tokens = (bucket.capacityUs - Math.max(0, fullAtUs - nowUs)) / bucket.tokenUs;
          expect(last.tokensMax(chargeFor('a'), nowUs)).toBeGreaterThanOrEqual(tokens);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
