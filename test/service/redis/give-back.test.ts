import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GiveBack } from '../../../service/core/give-back.ts';
import { StoreError } from '../../../service/core/store.ts';
import { bucketOf, costUsOf, debtUsAt, giveBack, take } from '../../../service/core/token-bucket.ts';
import { RedisStore } from '../../../service/redis/store.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { type ConnectedStore, connectStore } from '../../support/redis-store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';
import { until } from '../../support/until.ts';

const textOf = (file: string) => readFileSync(new URL(`../../../service/redis/${file}`, import.meta.url), 'utf8');

let redis: RedisProcess;
let connection: ConnectedStore;
beforeAll(async () => {
  redis = await startRedis();
  redis.admin.defineCommand('take', { lua: textOf('token-bucket.lua') });
  redis.admin.defineCommand('giveBack', { lua: textOf('give-back.lua') });
  connection = connectStore(redis.url, 10_000);
  await until('Redis', () => connection.store.ready);
});
afterAll(async () => {
  connection.close();
  await redis.stop();
});

type Run = (keyCount: number, ...args: (string | number)[]) => Promise<(number | string)[]>;
const scripts = () => redis.admin as unknown as { take: Run; giveBack: Run };

describe('give-back.lua', () => {
  const idMs = 60_000;
  /** From ones that are full again within the run to ones that never are. */
  const rate = fc.record({
    capacity: fc.integer({ min: 1, max: 20 }),
    refillPerSecond: fc.constantFrom(0.01, 100, 5000),
  });
  const step = fc.oneof(
    { arbitrary: fc.record({ is: fc.constant('take' as const), cost: fc.integer({ min: 1, max: 8 }) }), weight: 4 },
    { arbitrary: fc.record({ is: fc.constant('look' as const) }), weight: 1 },
    { arbitrary: fc.record({ is: fc.constant('reset' as const) }), weight: 1 },
    {
      arbitrary: fc.record({
        is: fc.constant('refund' as const),
        cost: fc.integer({ min: 1, max: 8 }),
        id: fc.nat({ max: 3 }),
        late: fc.boolean(),
      }),
      weight: 3,
    },
    { arbitrary: fc.record({ is: fc.constant('clock set back' as const) }), weight: 1 },
  );

  it('is the specification, to the microsecond, among any takes of two limits', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.tuple(rate, rate), fc.array(step, { maxLength: 30, size: 'max' }), async (rates, steps) => {
        const buckets = rates.map(bucketOf);
        const keys = rates.map((_, i) => `run-${run}:${i}`);
        run++;
        const fullAtUs = keys.map(() => 0);
        const seen = new Set<number>();
        for (const it of steps) {
          if (it.is === 'take') {
            const shape = buckets.flatMap((bucket) => [costUsOf(bucket, it.cost), bucket.capacityUs]);
            const [nowUs = 0] = (await scripts().take(2, ...keys, 0, 1, 2, ...shape)) as number[];
            const alone = buckets.map((bucket, i) => take(bucket, fullAtUs[i] as number, nowUs, it.cost));
            const allowed = alone.every((taken) => taken.allowed);
            for (const [i, bucket] of buckets.entries()) {
              const debtUs = debtUsAt(bucket, fullAtUs[i] as number, nowUs);
              if (allowed) fullAtUs[i] = nowUs + debtUs + costUsOf(bucket, it.cost);
              else if ((fullAtUs[i] as number) - nowUs > bucket.capacityUs) fullAtUs[i] = nowUs + debtUs;
            }
            continue;
          }
          if (it.is === 'clock set back') {
            const ahead = 1e6 * (Math.floor(Date.now() / 1000) + 3600);
            for (const [i, key] of keys.entries()) {
              await redis.admin.set(key, ahead);
              fullAtUs[i] = ahead;
            }
            continue;
          }
          const id = it.is === 'refund' ? it.id : undefined;
          const isLate = it.is === 'refund' && it.late;
          const isNew = id === undefined || !seen.has(id);
          const backUs = buckets.map((bucket) =>
            it.is === 'refund' ? costUsOf(bucket, it.cost) : it.is === 'reset' ? bucket.capacityUs : 0,
          );
          const names = [...keys, ...(id === undefined ? [] : [`${keys[0]}:id:${id}`])];
          const before = await redis.admin.mget(names);
          const args = buckets.flatMap((bucket, i) => [backUs[i] as number, bucket.capacityUs]);
          const reply = (await scripts().giveBack(names.length, ...names, isLate ? 1 : 0, idMs, ...args)) as number[];
          const [nowUs = 0] = reply;
          if (isLate) {
            expect([reply.length, await stillThere(names, before, nowUs)]).toEqual([1, true]);
            continue;
          }
          const given = backUs.map((us) => (isNew ? us : 0));
          const debtsUs = buckets.map((bucket, i) =>
            giveBack(bucket, fullAtUs[i] as number, nowUs, given[i] as number),
          );
          expect([it, reply]).toEqual([it, [nowUs, isNew ? 1 : 0, ...debtsUs]]);
          if (id !== undefined) seen.add(id);
          if (it.is === 'look') expect(await stillThere(names, before, nowUs)).toBe(true);
          else if (isNew) for (const [i, debtUs] of debtsUs.entries()) fullAtUs[i] = debtUs === 0 ? 0 : nowUs + debtUs;
        }
        const left = await redis.admin.keys(`run-${run - 1}:*`);
        if (left.length > 0) await redis.admin.unlink(left);
      }),
      { numRuns: 250 },
    );
  });

  /** Nothing has changed, save for what has expired since. */
  async function stillThere(names: string[], before: (string | null)[], nowUs: number): Promise<boolean> {
    const after = await redis.admin.mget(names);
    return after.every((value, i) => value === before[i] || (value === null && Number(before[i]) < nowUs + 1_000_000));
  }

  it('keeps a bucket until it is full again, an id for its time, and nothing of a bucket that is full', async () => {
    await scripts().take(1, 'kept', 0, 1, 1, 500_000_000, 1_000_000_000);
    const [nowUs = 0, , debtUs = 0] = (await scripts().giveBack(
      2,
      'kept',
      'kept:id',
      0,
      idMs,
      100_000_000,
      1e9,
    )) as number[];
    expect(await redis.admin.get('kept')).toBe(String(nowUs + debtUs));
    expect(await redis.admin.pexpiretime('kept')).toBe(Math.ceil((nowUs + debtUs) / 1000));
    expect(await redis.admin.pttl('kept:id')).toBeGreaterThan(idMs - 10_000);
    await scripts().giveBack(1, 'kept', 0, idMs, 1e9, 1e9);
    expect(await redis.admin.exists('kept')).toBe(0);
  });

  it.each(['list', '5', 'word'])('does nothing where one name holds no bucket but %s', async (held) => {
    await scripts().take(1, 'good', 0, 1, 1, 500_000_000, 1_000_000_000);
    const before = await redis.admin.get('good');
    if (held === 'list') await redis.admin.rpush('foreign', 'x');
    else await redis.admin.set('foreign', held);
    const reply = await scripts().giveBack(3, 'good', 'foreign', 'foreign:id', 0, idMs, 1e9, 1e9, 1e9, 1e9);
    expect(reply).toEqual([expect.any(Number), 1, 'WRONGTYPE', 'WRONGTYPE']);
    expect(await redis.admin.exists('foreign', 'foreign:id')).toBe(1);
    expect(await redis.admin.get('good')).toBe(before);
    await redis.admin.del('good', 'foreign');
  });

  it('does nothing by halves when Redis takes no more', async () => {
    await scripts().take(1, 'full', 0, 1, 1, 500_000_000, 1_000_000_000);
    const before = await redis.admin.get('full');
    await redis.admin.config('SET', 'maxmemory', '1');
    const call = scripts().giveBack(2, 'full', 'full:id', 0, idMs, 1000, 1e9);
    await expect(call).rejects.toThrow(/OOM/);
    await redis.admin.config('SET', 'maxmemory', '0');
    expect([await redis.admin.get('full'), await redis.admin.exists('full:id')]).toEqual([before, 0]);
  });
});

describe('what goes back by a store', () => {
  const limit = limitOf(5, 0.001);
  const takeFor = takesOf(limit);
  const tokenUs = limit.shared.tokenUs;
  const refund = (key: string, id: string): GiveBack => ({ take: takeFor(key, 2), amount: 'cost', id });

  it('counts an id once for each key, however many come at once, and whatever it is made of', async () => {
    const { store } = connection;
    const ids = ['a', '', '\0', 'ä', '{x}', 'x'.repeat(128)];
    for (const [i, id] of ids.entries()) {
      for (const key of [`one-${i}`, `two-${i}`]) {
        await store.decideMany([takeFor(key, 5)]);
        const all = await Promise.all([1, 2, 3].map(() => store.giveBack(refund(key, id))));
        expect(all.filter(({ isNew }) => isNew).length).toBe(1);
        const [debtUs] = (await store.giveBack({ take: takeFor(key), amount: 'nothing' })).debtsUs;
        expect(Math.ceil((debtUs as number) / tokenUs)).toBe(3);
      }
    }
    const names = await redis.admin.keys('rl:refund:*');
    expect([names.length, new Set(names.map((name) => name.length))]).toEqual([2 * ids.length, new Set([53])]);
  });

  it('is refused where the name holds something else, and by a connection that is gone', async () => {
    await redis.admin.set('rl:word', 'x');
    await expect(connection.store.giveBack({ take: takeFor('word'), amount: 'all' })).rejects.toEqual(
      new StoreError('wrongtype', 'the key holds something that is not a bucket'),
    );
    const other = connectStore('redis://127.0.0.1:1', 1000);
    await expect(other.store.giveBack(refund('a', 'b'))).rejects.toMatchObject({ name: 'StoreError' });
    other.close();
  });

  it('does nothing, once Redis goes on, that it could not say in time', async () => {
    const hasty = connectStore(redis.url, 50);
    await until('Redis', () => hasty.store.ready);
    await connection.store.decideMany([takeFor('paused', 5)]);
    const before = await redis.admin.get('rl:paused');
    await redis.admin.client('PAUSE', 500, 'ALL');
    const calls = [refund('paused', 'late'), { take: takeFor('paused'), amount: 'all' } as const];
    const outcomes = await Promise.allSettled(calls.map((call) => hasty.store.giveBack(call)));
    expect(outcomes).toMatchObject(calls.map(() => ({ status: 'rejected', reason: { reason: 'timeout' } })));
    await redis.admin.ping(); // behind them
    expect(await redis.admin.get('rl:paused')).toBe(before);
    expect((await connection.store.giveBack(refund('paused', 'late'))).isNew).toBe(true);
    hasty.close();
  });

  it('is not believed when the answer cannot be the one to it', async () => {
    const misfits: unknown[] = [];
    const nowUs = () => performance.now() * 1000;
    let reply: unknown = [1e15, 0];
    const answer = async () => reply;
    const store = new RedisStore({
      client: { evalsha: answer, eval: answer },
      timeoutMs: 10_000,
      nowUs,
      onMisfit: ({ message }) => misfits.push(message),
    });
    await store.connected();
    const { capacityUs } = limit.shared;
    const bad = [
      null,
      'OK',
      [],
      [0, 1, 0],
      ['x', 1, 0],
      [1e15, 1],
      [1e15, 1, 0, 0],
      [1e15, 2, 0],
      [1e15, 0, 0], // no id that could be known
      [1e15, 1, -1],
      [1e15, 1, 0.5],
      [1e15, 1, capacityUs + 1],
      [1e15, 1, '0'],
    ];
    for (reply of bad) {
      await expect(store.giveBack({ take: takeFor('a'), amount: 'nothing' })).rejects.toMatchObject({
        reason: 'protocol',
      });
    }
    expect(misfits.length).toBe(bad.length);
    reply = [1e15, 1, capacityUs];
    expect(await store.giveBack({ take: takeFor('a'), amount: 'nothing' })).toEqual({
      isNew: true,
      debtsUs: [capacityUs],
    });
  });
});
