// What every `Store` promises, whatever it is made of: the same tests for each, those with a Redis on a real one.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Batcher } from '../../service/core/batcher.ts';
import { Buckets } from '../../service/core/buckets.ts';
import { Limiter } from '../../service/core/limiter.ts';
import { LocalStore } from '../../service/core/local-store.ts';
import { type Decision, type Store, StoreError, type Take } from '../../service/core/store.ts';
import { connectSingle } from '../../service/redis/single.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';
import { unheard } from '../support/redis-store.ts';
import { limitOf, takesOf } from '../support/takes.ts';
import { until } from '../support/until.ts';

const limit = limitOf(3, 1);
const { quota } = limit.shared;
const takeFor = takesOf(limit);
const tokenMs = limit.shared.tokenUs / 1000;
const nowUs = () => performance.now() * 1000;

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const createLocal = () => new LocalStore({ keysMax: 1000, nowUs });

/** Connected, and patient: a busy machine is not what is tested here. */
async function connectTo(port: number, connected = true) {
  const topology = connectSingle(
    { kind: 'single', host: '127.0.0.1', port, db: 0, username: undefined, password: undefined, tls: false },
    { ...unheard, timeoutMs: 5000, nowUs },
  );
  if (connected) await until('Redis', () => topology.store.ready);
  return topology;
}

interface Subject extends Disposable {
  readonly store: Store;
  /** What a take would be told, and takes nothing. */
  readonly look?: (take: Take) => Decision | Promise<Decision>;
  readonly buckets?: Buckets;
}

async function createLimiter(port: number, connected: boolean): Promise<Subject> {
  const topology = await connectTo(port, connected);
  const fallback = createLocal();
  const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
  const buckets = new Buckets({ topology, fallback, limiter, onForgiven: async () => {} });
  return { store: limiter, look: (take) => buckets.look(take), buckets, [Symbol.dispose]: () => topology.close() };
}

interface Kind {
  readonly what: string;
  /** The name in its decisions. */
  readonly mechanism: string;
  readonly create: () => Promise<Subject>;
}

const kinds: readonly Kind[] = [
  {
    what: 'the local store',
    mechanism: 'fallback',
    async create() {
      const store = createLocal();
      return { store, look: (take) => store.look(take), [Symbol.dispose]() {} };
    },
  },
  {
    what: 'a Redis behind a batcher',
    mechanism: 'redis',
    async create() {
      const { store, close } = await connectTo(redis.port);
      return { store: new Batcher(store, 128), [Symbol.dispose]: close };
    },
  },
  {
    what: 'a limiter that has its Redis',
    mechanism: 'redis',
    create: () => createLimiter(redis.port, true),
  },
  {
    what: 'a limiter that has none',
    mechanism: 'fallback',
    create: () => createLimiter(1, false), // nothing listens there
  },
];

/** What a decision says apart from times, which no two stores share. */
const gist = ({ allowed, limit, remaining, mechanism }: Decision) => [allowed, limit, remaining, mechanism];

describe.each(kinds)('as a store, $what', ({ mechanism, create }) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await create();
  });
  afterAll(() => subject[Symbol.dispose]());

  let keys = 0;
  /** Nobody has used it before. */
  const newKey = () => `${mechanism} ${process.hrtime.bigint()} ${keys++}`;
  /** In turn, each after the answer to the one before. */
  const take = async (key: string, ...costs: number[]): Promise<Decision[]> => {
    const decisions: Decision[] = [];
    for (const cost of costs) decisions.push(await subject.store.decide(takeFor(key, cost)));
    return decisions;
  };

  it('admits what the bucket holds, counts down, and says who decided', async () => {
    expect((await take(newKey(), 1, 1, 1, 1)).map(gist)).toEqual([
      [true, 3, 2, mechanism],
      [true, 3, 1, mechanism],
      [true, 3, 0, mechanism],
      [false, 3, 0, mechanism],
    ]);
  });

  it('takes what it is asked for or nothing', async () => {
    expect((await take(newKey(), 2, 2, 1, 1)).map(gist)).toEqual([
      [true, 3, 1, mechanism],
      [false, 3, 1, mechanism],
      [true, 3, 0, mechanism],
      [false, 3, 0, mechanism],
    ]);
  });

  it('never admits more than a full bucket holds, promises nothing, and takes nothing', async () => {
    const [tooMuch, all] = await take(newKey(), 4, 3);
    expect(tooMuch).toEqual({
      allowed: false,
      limit: 3,
      remaining: 3,
      retryAfterMs: Number.POSITIVE_INFINITY,
      resetMs: 0,
      mechanism,
      quota,
    });
    expect(all).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('has a wait for the denied alone, and one as long as what is missing', async () => {
    const [allowed, denied] = (await take(newKey(), 2, 2)) as [Decision, Decision];
    expect([allowed.allowed, allowed.retryAfterMs, denied.allowed]).toEqual([true, 0, false]);
    expect(allowed.resetMs).toBe(2 * tokenMs); // to the microsecond: the bucket was full
    expect(denied.resetMs).toBeLessThanOrEqual(allowed.resetMs);
    expect(denied.resetMs - denied.retryAfterMs).toBeCloseTo(tokenMs, 2); // when two of three are there, one is missing
  });

  it('keeps its word: who waits as long as it was told to is admitted', async () => {
    const key = newKey();
    const denied = (await take(key, 3, 1)).at(-1) as Decision;
    expect([denied.allowed, denied.retryAfterMs > 0, denied.retryAfterMs <= tokenMs]).toEqual([false, true, true]);
    await sleep(Math.ceil(denied.retryAfterMs) + 1); // a timer may fire a fraction of a millisecond early
    expect((await take(key, 1))[0]?.allowed).toBe(true);
  });

  it('admits no more than the bucket holds when all come at once, and the first of them', async () => {
    const key = newKey();
    const decisions = await Promise.all(Array.from({ length: 20 }, () => subject.store.decide(takeFor(key))));
    expect(decisions.map(({ allowed }) => allowed)).toEqual(decisions.map((_, i) => i < 3));
  });

  it('gives every key a bucket of its own, whatever it is made of', async () => {
    const odd = [
      '',
      ' ',
      '{',
      '{}',
      '{a}b',
      ':',
      '*',
      '\0',
      '\r\n',
      '__proto__',
      'ä',
      'a\u0308',
      '😀',
      'x'.repeat(256),
    ];
    const own = newKey();
    for (const key of odd.flatMap((text) => [`${own} ${text}`, `${text} ${own}`]))
      expect([key, ...(await take(key, 3, 1)).map(gist)]).toEqual([
        key,
        [true, 3, 0, mechanism],
        [false, 3, 0, mechanism],
      ]);
  });

  it('is looked at as it is, before and after takes, and takes nothing', async () => {
    const { look } = subject;
    if (!look) return;
    const key = newKey();
    expect(gist(await look(takeFor(key, 3)))).toEqual([true, 3, 3, mechanism]);
    await take(key, 2);
    expect(gist(await look(takeFor(key, 2)))).toEqual([false, 3, 1, mechanism]);
    const looks = await Promise.all(Array.from({ length: 5 }, () => look(takeFor(key))));
    expect(looks.map(gist)).toEqual(looks.map(() => [true, 3, 1, mechanism]));
    const { resetMs, retryAfterMs } = await look(takeFor(key, 3));
    expect([resetMs <= 2 * tokenMs, resetMs > tokenMs, retryAfterMs]).toEqual([true, true, resetMs]);
    expect((await take(key, 1, 1)).map(gist)).toEqual([
      [true, 3, 0, mechanism],
      [false, 3, 0, mechanism],
    ]);
  });

  it('is given back what was taken, once for each id and never more, and is filled again: or is not, without a store', async () => {
    const { buckets } = subject;
    if (!buckets) return;
    const key = newKey();
    await take(key, 3, 1);
    const refund = async (cost: number, id: string) => {
      const { isNew, decision } = await buckets.refund(takeFor(key, cost), id);
      return [isNew, ...gist(decision)];
    };
    if (mechanism === 'fallback') {
      await expect(refund(1, 'a')).rejects.toBeInstanceOf(StoreError);
      await expect(buckets.reset(takeFor(key))).rejects.toBeInstanceOf(StoreError);
      expect((await take(key, 1)).map(gist)).toEqual([[false, 3, 0, mechanism]]);
      return;
    }
    expect(await Promise.all([refund(2, 'a'), refund(2, 'a')])).toEqual([
      [true, true, 3, 2, mechanism],
      [false, true, 3, 2, mechanism],
    ]);
    expect((await take(key, 1, 2)).map(gist)).toEqual([
      [true, 3, 1, mechanism],
      [false, 3, 1, mechanism],
    ]);
    expect(await refund(3, 'b')).toEqual([true, true, 3, 3, mechanism]);
    expect((await take(key, 3, 1)).map(gist)).toEqual([
      [true, 3, 0, mechanism],
      [false, 3, 0, mechanism],
    ]);
    await buckets.reset(takeFor(key));
    expect((await take(key, 3, 1)).map(gist)).toEqual([
      [true, 3, 0, mechanism],
      [false, 3, 0, mechanism],
    ]);
  });
});
