import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionOf } from '../../../service/core/decision.ts';
import { type Decision, StoreError } from '../../../service/core/store.ts';
import { bucketOf, costUsOf, instantUsOf, take } from '../../../service/core/token-bucket.ts';
import type { RedisStore } from '../../../service/redis/store.ts';
import { type Admission, admissionExcess } from '../../support/leaky-bucket.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { connectStore } from '../../support/redis-store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';
import { until } from '../../support/until.ts';

const script = readFileSync(new URL('../../../service/redis/token-bucket.lua', import.meta.url), 'utf8');
const sha = createHash('sha1').update(script).digest('hex');

/** Text that no take ever writes. */
const foreignTexts = [
  ...['', 'word', 'nan', '-nan', 'inf', '-inf', 'Infinity', 'true', 'null', '{}', '١٧٩٥٤٩١٠٤١٠٠٠٠٠٠'],
  ...['0', '1', '5', '42', '999999999999999', '1795491041', '1795491041000'],
  ...['9007199254740992', '9007199254740993', '9223372036854775807', '18446744073709551616', '9'.repeat(400)],
  ...['-1', '-1795491041000000', '+1795491041000000', '1795491041000000.0', '1795491041000000.5', '.5'],
  ...['1e308', '1e999', '1e15', '1.7954910410e+15', '17954910410000e2', '0x660f5b5e5c5d5', '0x0660f5b5e5c5d5'],
  ...['01795491041000000', ' 1795491041000000', '1795491041000000 ', '1795491041000000\n', '1795491041000000\0'],
  ...['1_795_491_041_000_000', '1,795,491,041,000,000', '1795491041000000n', '0b11', '0o17', '1795491041000000;'],
];

describe('take', () => {
  const bucket = bucketOf({ capacity: 5, refillPerSecond: 0.5 });
  const nowUs = 1_000_000_000;

  it('counts five tokens in ten seconds as exactly two seconds each', () => {
    expect(bucket).toEqual({ capacity: 5, tokenUs: 2_000_000, capacityUs: 10_000_000 });
  });

  it('never refills faster than the policy, whatever the rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 86_400 }),
        (capacity, windowSec) => {
          const { tokenUs } = bucketOf({ capacity, refillPerSecond: capacity / windowSec });
          const exactUs = (windowSec * 1_000_000) / capacity;
          expect(tokenUs).toBeGreaterThanOrEqual(exactUs * (1 - 1e-12));
          expect(tokenUs).toBeLessThan(exactUs * (1 + 1e-12) + 1);
        },
      ),
    );
  });

  it('counts tokens of less than a microsecond together, rounded up, and a billion of them as one window', () => {
    const budget = bucketOf({ capacity: 1e9, refillPerSecond: 1e9 / 60 });
    expect([1, 17, 1_000, 1e9].map((cost) => costUsOf(budget, cost))).toEqual([1, 2, 60, 60_000_000]);
    expect(budget.capacityUs).toBe(60_000_000);
  });

  it('gives a bucket never used all its tokens and then none', () => {
    const debts: unknown[] = [];
    let fullAtUs = 0;
    for (let i = 0; i < 6; i++) {
      const taken = take(bucket, fullAtUs, nowUs, 1);
      debts.push(taken);
      if (taken.allowed) fullAtUs = nowUs + taken.debtUs;
    }
    expect(debts).toEqual([
      { allowed: true, debtUs: 2_000_000 },
      { allowed: true, debtUs: 4_000_000 },
      { allowed: true, debtUs: 6_000_000 },
      { allowed: true, debtUs: 8_000_000 },
      { allowed: true, debtUs: 10_000_000 },
      { allowed: false, debtUs: 10_000_000 },
    ]);
  });

  it('takes nothing when it denies', () => {
    expect(take(bucket, nowUs + 9_000_000, nowUs, 1)).toEqual({ allowed: false, debtUs: 9_000_000 });
  });

  it('allows at the very microsecond at which the token exists and not one earlier', () => {
    expect(take(bucket, nowUs + 10_000_000, nowUs + 1_999_999, 1)).toEqual({ allowed: false, debtUs: 8_000_001 });
    expect(take(bucket, nowUs + 10_000_000, nowUs + 2_000_000, 1)).toEqual({ allowed: true, debtUs: 10_000_000 });
  });

  it('counts a bucket as empty, and no worse, after the clock went back', () => {
    expect(take(bucket, nowUs + 3_600_000_000, nowUs, 1)).toEqual({ allowed: false, debtUs: 10_000_000 });
  });
});

describe('instantUsOf', () => {
  const nowUs = 1_795_491_041_000_000;

  it('takes a plain decimal date in microseconds for a bucket, be it long past or far ahead', () => {
    const texts = ['1000000000000000', '1795491040999999', '1795491041000000', '1827027041000000', '9007199254740991'];
    expect(texts.map((text) => instantUsOf(text, nowUs))).toEqual(texts.map(Number));
  });

  it.each(foreignTexts)('takes nothing else for one: %j', (text) => {
    expect(instantUsOf(text, nowUs)).toBeUndefined();
  });

  it('believes a clock that stands before 2001, but no counter', () => {
    expect([instantUsOf('60000000', 50_000_000), instantUsOf('5', 50_000_000)]).toEqual([60_000_000, undefined]);
  });
});

describe('decisionOf', () => {
  const bucket = limitOf(5, 0.5).shared;
  const { quota } = bucket;

  it('tells the whole tokens left and the time until full', () => {
    expect(decisionOf(bucket, { allowed: true, debtUs: 3_000_001 }, 1, 'redis')).toEqual({
      allowed: true,
      limit: 5,
      remaining: 3,
      retryAfterMs: 0,
      resetMs: 3000.001,
      mechanism: 'redis',
      quota,
    });
  });

  it('tells how long a denied take has to wait, after which it is allowed', () => {
    expect(decisionOf(bucket, { allowed: false, debtUs: 9_500_000 }, 2, 'fallback')).toEqual({
      allowed: false,
      limit: 5,
      remaining: 0,
      retryAfterMs: 3500,
      resetMs: 9500,
      mechanism: 'fallback',
      quota,
    });
    expect(take(bucket, 9_500_000, 3_499_999, 2).allowed).toBe(false);
    expect(take(bucket, 9_500_000, 3_500_000, 2).allowed).toBe(true);
  });

  it('says that a cost above the capacity never comes', () => {
    expect(decisionOf(bucket, { allowed: false, debtUs: 0 }, 6, 'redis').retryAfterMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('token-bucket.lua on a real Redis', () => {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await startRedis();
    await redis.admin.script('LOAD', script);
  });
  afterAll(() => redis.stop());

  // 100 groups of 100 keys. A group has one policy, as a call has; a key's takes over the rounds are one sequence.
  const groups = 100;
  const keysPerGroup = 100;

  /** What a key holds before the first take; `aheadUs` counts from Redis's time then. */
  type Initial =
    | { is: 'absent' | 'list' }
    | { is: 'text'; text: string }
    | { is: 'bucket'; aheadUs: number; expires: boolean };
  interface Round {
    deadline: 'none' | 'ahead' | 'past';
    /** One take for each key, then some for the same keys again. */
    costs: number[];
    again: number[];
  }
  const bucketAhead = (aheadUs: fc.Arbitrary<number>): fc.Arbitrary<Initial> =>
    fc.record({ is: fc.constant('bucket' as const), aheadUs, expires: fc.boolean() });
  const initial: fc.Arbitrary<Initial> = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Initial>({ is: 'absent' }) },
    { weight: 3, arbitrary: bucketAhead(fc.integer({ min: -10_000, max: 2_000_000 })) },
    // Another clock's, or of a policy with a longer window.
    { weight: 2, arbitrary: bucketAhead(fc.integer({ min: 2_000_000, max: 3_600_000_000 * 24 * 365 })) },
    { weight: 1, arbitrary: fc.constant<Initial>({ is: 'list' }) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        fc.constantFrom<Initial>(...foreignTexts.map((text) => ({ is: 'text' as const, text }))),
        fc.string().map((text): Initial => ({ is: 'text', text })),
      ),
    },
  );
  const policy = fc.record({
    capacity: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 })),
    refillPerSecond: fc.oneof(
      fc.double({ min: 0.001, max: 10, noNaN: true }),
      fc.double({ min: 10, max: 1_000_000, noNaN: true }),
    ),
  });
  const groupOf = policy.chain((it) => {
    const cost = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: Math.max(1, Math.ceil(it.capacity / 3)) }) },
      { weight: 1, arbitrary: fc.constantFrom(it.capacity, it.capacity + 1, it.capacity * 10) },
    );
    const round: fc.Arbitrary<Round> = fc.record({
      deadline: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom<Round['deadline'][]>('none', 'ahead') },
        { weight: 1, arbitrary: fc.constant<Round['deadline']>('past') },
      ),
      costs: fc.array(cost, { minLength: keysPerGroup, maxLength: keysPerGroup }),
      again: fc.array(fc.nat({ max: keysPerGroup - 1 }), { maxLength: 10 }),
    });
    return fc.record({
      policy: fc.constant(it),
      initial: fc.array(initial, { minLength: keysPerGroup, maxLength: keysPerGroup }),
      rounds: fc.array(round, { minLength: 3, maxLength: 6 }),
      sameCost: fc.boolean(),
    });
  });

  it('agrees with token-bucket.ts on 10,000 random sequences, in every answer and every stored state', async () => {
    let groupNumber = 0;
    let sequences = 0;
    await fc.assert(
      fc.asyncProperty(groupOf, async (group) => {
        const keys = group.initial.map((_, i) => `g${groupNumber}:${i}`);
        groupNumber++;
        sequences += keys.length;
        const bucket = bucketOf(group.policy);

        // Set up.
        const [seconds = 0, micros = 0] = (await redis.admin.time()).map(Number);
        const startUs = seconds * 1_000_000 + micros;
        const model = new Map<string, number | 'not a bucket'>();
        const setup = redis.admin.pipeline();
        for (const [i, key] of keys.entries()) {
          const held = group.initial[i] as Initial;
          if (held.is === 'list') setup.rpush(key, '1');
          if (held.is === 'text') setup.set(key, held.text);
          if (held.is === 'bucket' && held.expires) {
            setup.set(key, startUs + held.aheadUs, 'PXAT', Math.ceil((startUs + held.aheadUs) / 1000));
          } else if (held.is === 'bucket') setup.set(key, startUs + held.aheadUs);
          model.set(key, held.is === 'absent' ? 0 : held.is === 'bucket' ? startUs + held.aheadUs : 'not a bucket');
        }
        await setup.exec();

        // All rounds in one pipeline, reading back after each what is stored.
        const calls = group.rounds.map(({ deadline, costs, again }) => {
          const takes = [...keys.keys(), ...again].map((i) => ({
            key: keys[i] as string,
            cost: costs[group.sameCost ? 0 : i] as number,
          }));
          const deadlineUs = { none: 0, ahead: startUs + 3_600_000_000, past: startUs - 1 }[deadline];
          return { takes, deadlineUs, past: deadline === 'past' };
        });
        const pipeline = redis.admin.pipeline();
        for (const { takes, deadlineUs } of calls) {
          const shapeOf = (cost: number) => [1, costUsOf(bucket, cost), bucket.capacityUs];
          const shapes = group.sameCost
            ? [1, ...shapeOf(takes[0]?.cost ?? 1)]
            : [takes.length, ...takes.flatMap(({ cost }) => shapeOf(cost)), ...takes.map((_, i) => i + 1)];
          pipeline.evalsha(sha, takes.length, ...takes.map(({ key }) => key), deadlineUs, ...shapes);
          pipeline.mget(keys);
          pipeline.time();
        }
        const replies = ((await pipeline.exec()) ?? []).map(([error, value]) => {
          if (error) throw error;
          return value;
        });

        // The same instants through the specification.
        for (const [n, { takes, past }] of calls.entries()) {
          const [reply, stored, time] = replies.slice(3 * n, 3 * n + 3) as [
            number[],
            (string | null)[],
            [string, string],
          ];
          const nowUs = reply[0] as number;
          const expected: unknown[] = [nowUs];
          for (const { key, cost } of past ? [] : takes) {
            const fullAtUs = model.get(key) ?? 0;
            if (fullAtUs === 'not a bucket') {
              expected.push('WRONGTYPE');
              continue;
            }
            const { allowed, debtUs } = take(bucket, fullAtUs, nowUs, cost);
            if (allowed || debtUs > 0) model.set(key, nowUs + debtUs);
            expected.push(allowed ? debtUs : -1 - debtUs);
          }
          expect(reply).toEqual(expected);

          const readAtUs = Number(time[0]) * 1_000_000 + Number(time[1]);
          const held = keys.map((key, i) => {
            const fullAtUs = model.get(key) ?? 0;
            const before = group.initial[i] as Initial;
            if (fullAtUs === 'not a bucket') return before.is === 'text' ? before.text : null;
            if (stored[i] === null && fullAtUs <= readAtUs) return null; // full again, so it may have expired
            return String(fullAtUs);
          });
          expect(stored).toEqual(held);
        }
        await redis.admin.unlink(keys);
      }),
      { numRuns: groups },
    );
    expect(sequences).toBeGreaterThanOrEqual(10_000);
  });

  const run = (keys: string[], ...args: number[]) =>
    redis.admin.evalsha(sha, keys.length, ...keys, ...args) as Promise<(number | string)[]>;

  it('past its deadline answers the time alone and takes nothing', async () => {
    const reply = await run(['late'], 1, 1, 1, 1000, 10_000);
    expect(reply).toEqual([expect.any(Number)]);
    expect(await redis.admin.exists('late')).toBe(0);
  });

  it('past its deadline leaves even a bucket from another clock as it is', async () => {
    const [seconds] = await redis.admin.time();
    const ahead = `${Number(seconds) + 3600}000000`;
    await redis.admin.set('ahead', ahead, 'PXAT', Number(seconds) * 1000 + 3_600_000);
    expect(await run(['ahead'], 1, 1, 1, 1000, 10_000)).toEqual([expect.any(Number)]);
    expect([await redis.admin.get('ahead'), await redis.admin.pexpiretime('ahead')]).toEqual([
      ahead,
      Number(seconds) * 1000 + 3_600_000,
    ]);
    await redis.admin.del('ahead');
  });

  it('without keys answers the time alone', async () => {
    expect(await run([], 0, 1, 1, 1000, 10_000)).toEqual([expect.any(Number)]);
  });

  it('keeps a bucket until it is full again, and less than a millisecond longer', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `expiry:${i}`);
    const pipeline = redis.admin.pipeline();
    for (const [i, key] of keys.entries()) {
      // Debts from 1.0 s on, in steps that are no whole milliseconds.
      const takes = Array(1 + (i % 2)).fill(key); // one that found nothing, or also one that found a bucket
      pipeline.evalsha(sha, takes.length, ...takes, 0, 1, 1, 1_000_000 + 137 * i, 10_000_000_000);
      pipeline.get(key);
      pipeline.pexpiretime(key);
    }
    const replies = (await pipeline.exec())?.map(([, value]) => value) ?? [];
    const outlivedMs = keys.map((_, i) => Number(replies[3 * i + 2]) - Number(replies[3 * i + 1]) / 1000);
    expect({
      tooEarly: outlivedMs.filter((ms) => ms < 0).length,
      tooLate: outlivedMs.filter((ms) => ms >= 1).length,
    }).toEqual({
      tooEarly: 0,
      tooLate: 0,
    });
  });

  it('takes nothing of any bucket of a take when one is none, and decides the other takes', async () => {
    await redis.admin.rpush('several:list', 'x');
    const reply = await run(
      ['several:a', 'several:list', 'several:b', 'several:c'],
      0,
      1,
      2,
      10,
      1_000_000,
      20,
      2_000_000,
    );
    expect(reply.slice(1)).toEqual(['WRONGTYPE', 'WRONGTYPE', 10, 20]);
    expect(await redis.admin.exists('several:a')).toBe(0);
  });

  it('writes the bucket from another clock as empty when the take is denied, and no other bucket of it', async () => {
    const [seconds] = await redis.admin.time();
    await redis.admin.set('several:ahead', `${Number(seconds) + 3600}000000`, 'PX', 3_600_000);
    const reply = await run(['several:new', 'several:ahead'], 0, 1, 2, 10, 1_000_000, 20, 2_000_000);
    expect(reply.slice(1)).toEqual([-1, -1 - 2_000_000]);
    expect(await redis.admin.exists('several:new')).toBe(0);
    expect(await redis.admin.get('several:ahead')).toBe(String((reply[0] as number) + 2_000_000));
  });

  it('reads the shape of each take where they differ, be they of one bucket or several', async () => {
    const shapes = [3, 1, 10, 1_000_000, 2, 10, 1_000_000, 20, 2_000_000, 1, 2_000_000, 1_000_000];
    const keys = ['shape:a', 'shape:a', 'shape:b', 'shape:a', 'shape:a'];
    expect((await run(keys, 0, ...shapes, 1, 2, 1, 3)).slice(1)).toEqual([10, 20, 20, 30, -1 - 30]);
  });

  it('leaves nothing in Redis once the bucket is full again', async () => {
    await run(['gone'], 0, 1, 1, 3000, 10_000);
    await until('the bucket to expire', async () => (await redis.admin.exists('gone')) === 0);
    expect((await run(['gone'], 0, 1, 1, 10_000, 10_000))[1]).toBe(10_000);
  });

  it('lets two instances under concurrent load admit no more than the bound over any window, and no less than all of it', async () => {
    const takeFor = takesOf(limitOf(20, 200));
    const connections = [connectStore(redis.url, 10_000), connectStore(redis.url, 10_000)];
    const stores = connections.map(({ store }) => store);
    const admissions: Admission[] = [];
    const rejections: { sentMs: number }[] = [];
    try {
      for (const store of stores) await until('a connection', () => store.ready);
      const endMs = performance.now() + 800;
      const client = async (store: RedisStore, batch: number) => {
        while (performance.now() < endMs) {
          const sentMs = performance.now();
          const outcomes = await store.decideMany(
            Array.from({ length: batch }, (_, i) => takeFor('shared', 1 + (i % 2))),
          );
          const receivedMs = performance.now();
          for (const [i, outcome] of outcomes.entries()) {
            if (outcome instanceof StoreError) throw outcome;
            if (outcome.allowed) admissions.push({ sentMs, receivedMs, cost: 1 + (i % 2) });
            else rejections.push({ sentMs });
          }
        }
      };
      await Promise.all([1, 2, 3, 1, 2, 5].map((batch, i) => client(stores[i % 2] as RedisStore, batch)));
    } finally {
      for (const connection of connections) connection.close();
    }
    expect(admissionExcess(admissions, 20, 200)).toBe(0);

    // At the last rejection fewer than 2 tokens were there, so all others had been admitted.
    const lastSentMs = Math.max(...rejections.map(({ sentMs }) => sentMs));
    const firstReceivedMs = Math.min(...admissions.map(({ receivedMs }) => receivedMs));
    const admitted = admissions.reduce((sum, { cost }) => sum + cost, 0);
    expect(admitted).toBeGreaterThan(20 + (200 * (lastSentMs - firstReceivedMs)) / 1000 - 2);
  });

  it('has a judge of that bound that finds an excess of one token', () => {
    const at = (ms: number): Admission => ({ sentMs: ms, receivedMs: ms, cost: 1 });
    expect(admissionExcess([at(0), at(0), at(10)], 2, 100)).toBe(0);
    expect(admissionExcess([at(0), at(0), at(0), at(10)], 2, 100)).toBe(1);
  });

  it('tells each take of a batch as a decision, the same key twice in order', async () => {
    await redis.admin.flushall();
    const { store, close } = connectStore(redis.url, 10_000);
    const limit = limitOf(2, 0.001);
    const takeFor = takesOf(limit);
    try {
      await until('a connection', () => store.ready);
      const outcomes = (await store.decideMany([
        takeFor('a'),
        takeFor('a'),
        takeFor('a'),
        takeFor('b', 3),
      ])) as Decision[];
      const common = { limit: 2, mechanism: 'redis', quota: limit.shared.quota };
      expect(outcomes).toEqual([
        { ...common, allowed: true, remaining: 1, retryAfterMs: 0, resetMs: 1_000_000 },
        { ...common, allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 2_000_000 },
        { ...common, allowed: false, remaining: 0, retryAfterMs: 1_000_000, resetMs: 2_000_000 },
        { ...common, allowed: false, remaining: 2, retryAfterMs: Number.POSITIVE_INFINITY, resetMs: 0 },
      ]);
    } finally {
      close();
    }
  });
});
