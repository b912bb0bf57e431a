import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, StoreError } from '../../../service/core/store.ts';
import { take } from '../../../service/core/token-bucket.ts';
import { RedisStore } from '../../../service/redis/store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const limit = limitOf(5, 0.5);
const { quota } = limit.shared;
const takeFor = takesOf(limit);
const redisNowUs = 1_795_491_041_000_000;

/** A store whose Redis answers every script but the probe with `reply`, and how often it was asked. */
async function answering(reply: unknown) {
  const calls = { times: 0 };
  let isProbed = false;
  const evalsha = async () => {
    if (isProbed) {
      calls.times++;
      return reply;
    }
    isProbed = true;
    return [redisNowUs, 0];
  };
  const client = { evalsha, eval: evalsha };
  const store = new RedisStore({ client, timeoutMs: 10_000, nowUs: () => performance.now() * 1000 });
  await store.connected();
  return { store, calls };
}

/** The decisions, or why there are none. */
async function outcomeOf(reply: unknown, costs: readonly number[] = [1, 2]): Promise<unknown> {
  const { store } = await answering(reply);
  return store
    .decideMany(costs.map((cost, i) => takeFor(`key ${i}`, cost)))
    .catch((error) => (error instanceof StoreError ? error.reason : error));
}

describe('a reply to the script', () => {
  it('becomes decisions when the script may have answered so', async () => {
    const common = { limit: 5, mechanism: 'redis', quota };
    expect(await outcomeOf([redisNowUs, 10_000_000, -1 - 6_000_001])).toEqual([
      { ...common, allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 10_000 },
      { ...common, allowed: false, remaining: 1, retryAfterMs: 0.001, resetMs: 6000.001 },
    ]);
    expect(await outcomeOf([redisNowUs, 'WRONGTYPE', -1 - 10_000_000])).toEqual([
      new StoreError('wrongtype', 'the key holds something that is not a bucket'),
      { ...common, allowed: false, remaining: 0, retryAfterMs: 4000, resetMs: 10_000 },
    ]);
  });

  it('is late when it tells the time alone', async () => {
    expect(await outcomeOf([redisNowUs + 60_000_000])).toBe('late');
  });

  it.each([
    ['no array', 'OK'],
    ['nothing', null],
    ['a number', 2_000_000],
    ['empty', []],
    ['one too few', [redisNowUs, 2_000_000]],
    ['one too many', [redisNowUs, 2_000_000, 4_000_000, 4_000_000]],
    ['without the time', ['OK', 2_000_000, 4_000_000]],
    ['with a time that is text', [String(redisNowUs), 2_000_000, 4_000_000]],
    ['with a time that is no number', [Number.NaN, 2_000_000, 4_000_000]],
    ['with a time below zero', [-1, 2_000_000, 4_000_000]],
    ['with text', [redisNowUs, 2_000_000, 'OK']],
    ['with a number as text', [redisNowUs, 2_000_000, '4000000']],
    ['with null', [redisNowUs, null, 4_000_000]],
    ['with an array', [redisNowUs, [2_000_000], 4_000_000]],
    ['with a big integer', [redisNowUs, 2_000_000, 4_000_000n]],
    ['with NaN', [redisNowUs, Number.NaN, 4_000_000]],
    ['with infinity', [redisNowUs, Number.POSITIVE_INFINITY, 4_000_000]],
    ['with a fraction', [redisNowUs, 2_000_000.5, 4_000_000]],
    ['with a debt above the capacity', [redisNowUs, 10_000_001, 4_000_000]],
    ['with a denied debt above the capacity', [redisNowUs, 2_000_000, -1 - 10_000_001]],
    ['with a take denied although there were tokens', [redisNowUs, -1 - 8_000_000, 4_000_000]],
    ['with an error', [redisNowUs, new Error('ERR'), 4_000_000]],
  ])('is no decision for anybody when it is %s', async (_, reply) => {
    expect(await outcomeOf(reply)).toBe('protocol');
  });

  it('that does not fit is not asked for again', async () => {
    const { store, calls } = await answering([redisNowUs, 1]);
    await store.decideMany([takeFor('a')]).catch(() => {});
    expect(calls.times).toBe(1);
  });

  it('is named with what does not fit, in few words', async () => {
    const { store } = await answering([redisNowUs, 2_000_000, 'x'.repeat(1_000_000)]);
    const error = await store.decideMany([1, 2].map((cost) => takeFor('a', cost))).catch((it) => it);
    expect([error.message.length < 150, error.message.slice(0, 40)]).toEqual([
      true,
      "Redis answered take 2 of 2 with 'xxxxxxx",
    ]);
  });

  it('never says more than the capacity or less than nothing, whatever Redis sends', async () => {
    const honest = fc.integer({ min: 0, max: 12_000_000 }).map((debtUs) => {
      const taken = take(limit.shared, redisNowUs + debtUs, redisNowUs, 1);
      return taken.allowed ? taken.debtUs : -1 - taken.debtUs;
    });
    const result = fc.oneof(
      { weight: 4, arbitrary: honest },
      fc.anything(),
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
    );
    let decided = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(result, { minLength: 1, maxLength: 4 }), async (results) => {
        const outcomes = await outcomeOf([redisNowUs, ...results], [1, 1]);
        if (outcomes === 'protocol' || outcomes === 'late') return;
        for (const outcome of outcomes as (Decision | StoreError)[]) {
          if (outcome instanceof StoreError) continue;
          decided++;
          const { allowed, remaining = Number.NaN, resetMs, retryAfterMs } = outcome;
          expect([remaining >= 0 && remaining <= 5, resetMs >= 0 && resetMs <= 10_000]).toEqual([true, true]);
          expect(allowed ? retryAfterMs === 0 : retryAfterMs > 0 && retryAfterMs <= 2000).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(decided).toBeGreaterThan(100);
  });
});
