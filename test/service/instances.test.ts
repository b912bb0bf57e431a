import { afterEach, describe, expect, it } from 'vitest';
import { Instances } from '../../service/instances.ts';
import type { RedisClient } from '../../service/redis-store.ts';
import { until } from '../support/until.ts';

let instances: Instances;
afterEach(() => instances.stop());

/** A Redis whose n-th answer to a beat is `answer(n)`. */
const answering = (answer: (n: number) => Promise<unknown>): RedisClient => {
  let n = 0;
  return { evalsha: () => answer(n++), eval: () => answer(n++), del: async () => 0 };
};

describe('the count of instances', () => {
  it('goes on when a reply never comes, as with a connection that broke', async () => {
    const counts: number[] = [];
    instances = new Instances({ onCount: (count) => counts.push(count), nowUs: () => performance.now() * 1000 });
    instances.start(answering((n) => (n === 0 ? new Promise(() => {}) : Promise.resolve(3))));
    await until('the second reply', 3000, () => counts.length > 0);
    expect(counts).toEqual([3]);
  });

  it('holds a greater count at once, a smaller one only when no greater was seen for five seconds', () => {
    const counts: number[] = [];
    let nowUs = 0;
    instances = new Instances({ onCount: (count) => counts.push(count), nowUs: () => nowUs });
    instances.see(3);
    nowUs = 4_999_000;
    instances.see(2);
    expect(counts).toEqual([3]);
    nowUs = 5_000_000;
    instances.see(2);
    expect(counts).toEqual([3, 2]);
  });
});
