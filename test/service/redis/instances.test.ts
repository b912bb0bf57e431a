import { afterEach, describe, expect, it } from 'vitest';
import { Instances } from '../../../service/redis/instances.ts';
import type { RedisClient } from '../../../service/redis/script-runner.ts';
import { startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

/** Instances on a clock that the test moves, with all counts that they told. */
function onFakeClock() {
  const clock = { s: 100 };
  const reported: number[] = [];
  const instances = new Instances({ onCount: (count) => reported.push(count), nowUs: () => clock.s * 1_000_000 });
  const see = (...counts: number[]) => {
    for (const count of counts) instances.see(count);
  };
  return { clock, reported, see, instances };
}

describe('Instances', () => {
  it('tells a count when it changes, and nothing while this one is alone', () => {
    const { reported, see } = onFakeClock();
    see(1, 1, 3, 3, 4);
    expect(reported).toEqual([3, 4]);
  });

  it('knows no count until Redis has told one, be it of this instance alone', () => {
    const { see, instances } = onFakeClock();
    expect(instances.count).toBeUndefined();
    see(1);
    expect(instances.count).toBe(1);
    see(3);
    expect(instances.count).toBe(3);
  });

  it('believes a greater count at once', () => {
    const { reported, see } = onFakeClock();
    see(2, 5);
    expect(reported).toEqual([2, 5]);
  });

  it('believes a smaller one only after the greater was not seen for five seconds', () => {
    const { clock, reported, see } = onFakeClock();
    see(3);
    clock.s += 4.9;
    see(2);
    expect(reported).toEqual([3]);
    clock.s += 0.1;
    see(2);
    expect(reported).toEqual([3, 2]);
  });

  it('counts those five seconds from the last time that it saw the greater count', () => {
    const { clock, reported, see } = onFakeClock();
    see(3);
    for (let i = 0; i < 10; i++) {
      clock.s += 3;
      see(2, 3);
    }
    expect(reported).toEqual([3]);
  });

  it('keeps the last count through an outage, and takes up the true one when the others have had time to speak', () => {
    const { clock, reported, see } = onFakeClock();
    see(4);
    clock.s += 60; // nothing is seen
    see(4);
    clock.s += 1;
    see(1, 2);
    expect(reported).toEqual([4]);
    clock.s += 4;
    see(2);
    expect(reported).toEqual([4, 2]);
  });

  it('does not fall for the first count after an outage, when the others have not spoken yet', () => {
    const { clock, reported, see } = onFakeClock();
    see(4);
    clock.s += 60;
    see(1, 2, 4);
    expect(reported).toEqual([4]);
  });

  it('does not fall for it either when one had gone away just before the outage', () => {
    const { clock, reported, see } = onFakeClock();
    see(4);
    clock.s += 1;
    see(3);
    clock.s += 60;
    see(1);
    clock.s += 1;
    see(3);
    expect(reported).toEqual([4]);
  });

  it('takes down a smaller count step by step, each with its own five seconds', () => {
    const { clock, reported, see } = onFakeClock();
    see(4);
    for (const count of [3, 3, 3, 3, 3, 2, 2, 2, 2, 2]) {
      clock.s += 1;
      see(count);
    }
    expect(reported).toEqual([4, 3, 2]);
  });
});

describe('Instances whose Redis answers as told', () => {
  /** A Redis whose n-th answer to a beat is `answer(n)`. */
  const answering = (answer: (n: number) => Promise<unknown>): RedisClient => {
    let n = 0;
    return { evalsha: () => answer(n++), eval: () => answer(n++) };
  };

  it('go on counting when a reply never comes, as with a connection that broke', async () => {
    const counts: number[] = [];
    const instances = new Instances({ onCount: (count) => counts.push(count), nowUs: () => performance.now() * 1000 });
    try {
      instances.start(answering((n) => (n === 0 ? new Promise(() => {}) : Promise.resolve(3))));
      await until('the second reply', () => counts.length > 0);
      expect(counts).toEqual([3]);
    } finally {
      instances.stop();
    }
  });
});

describe('Instances in a Redis', () => {
  const started: Instances[] = [];
  const start = ({ admin }: Awaited<ReturnType<typeof startRedis>>) => {
    let count = 1;
    let beats = 0;
    let beatsAtCount = 0;
    const client: RedisClient = {
      evalsha: (sha, keyCount, ...args) => admin.evalsha(sha, keyCount, ...args),
      eval(script, keyCount, ...args) {
        beats++;
        return admin.eval(script, keyCount, ...args);
      },
    };
    const instances = new Instances({
      onCount: (seen) => {
        count = seen;
        beatsAtCount = beats;
      },
      nowUs: () => performance.now() * 1000,
    });
    instances.start(client);
    started.push(instances);
    return { instances, count: () => count, beatsAtCount: () => beatsAtCount };
  };
  afterEach(() => {
    for (const instances of started.splice(0)) instances.stop();
  });

  it('find each other by their second beat, and one that stops is taken out', async () => {
    await using redis = await startRedis();
    const [first, second] = [start(redis), start(redis)];
    await until('two instances', () => first.count() === 2 && second.count() === 2);
    expect([first.beatsAtCount(), second.beatsAtCount()].every((beats) => beats <= 2)).toBe(true);
    expect(await redis.admin.zcard('rl-instances')).toBe(2);
    second.instances.stop();
    await until('one instance', async () => (await redis.admin.zcard('rl-instances')) === 1);
    expect(await redis.admin.pttl('rl-instances')).toBeGreaterThan(0);
    first.instances.stop();
    await until('none', async () => (await redis.admin.zcard('rl-instances')) === 0);
  });

  it('do not count one that has been silent for longer than five seconds', async () => {
    await using redis = await startRedis();
    const [s = '0'] = await redis.admin.time();
    const nowMs = Number(s) * 1000;
    await redis.admin.zadd('rl-instances', nowMs - 60_000, 'dead', nowMs + 1000, 'alive');
    const { count } = start(redis);
    await until('two instances', () => count() === 2);
    expect(await redis.admin.zscore('rl-instances', 'dead')).toBeNull();
  });

  it("count a dead one no longer than usual after Redis's clock went back, and a live one all the time", async () => {
    await using redis = await startRedis();
    const nowMs = async () => Number((await redis.admin.time())[0]) * 1000;
    const [first, second] = [start(redis), start(redis)];
    await until('two instances', () => first.count() === 2 && second.count() === 2);
    const live = await redis.admin.zrange('rl-instances', '0', '-1');
    // What a clock leaves behind that is then set back by an hour.
    const wasMs = (await nowMs()) + 3_600_000;
    for (const member of ['dead', ...live]) await redis.admin.zadd('rl-instances', wasMs, member);
    await redis.admin.zadd('rl-instances', '+inf', 'x');
    const sinceMs = performance.now();
    let fewest = Number.POSITIVE_INFINITY;
    await until('the dead to be gone', async () => {
      const counted = await redis.admin.zrange('rl-instances', '0', '-1');
      fewest = Math.min(fewest, counted.filter((id) => live.includes(id)).length);
      return !counted.includes('dead') && !counted.includes('x');
    });
    expect(performance.now() - sinceMs).toBeGreaterThan(4500); // five seconds from the next beat, as it might live
    expect(fewest).toBe(2);
  });

  it('are no number that no count can be', async () => {
    const counts: number[] = [];
    const answers = [Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY, '7', 2];
    const instances = new Instances({ onCount: (count) => counts.push(count), nowUs: () => performance.now() * 1000 });
    const answer = async () => answers.shift() ?? 2;
    try {
      instances.start({ evalsha: answer, eval: answer });
      await until('the last answer', () => answers.length === 0 && counts.length > 0);
      expect(counts).toEqual([2]);
    } finally {
      instances.stop();
    }
  });
});
