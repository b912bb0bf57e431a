import { describe, expect, it } from 'vitest';
import { BucketMap } from '../../../service/core/bucket-map.ts';

/** For so many keys there is no room: what is full goes at once. */
const crowded = 0;

/** Buckets named a, b, c…, full again at these instants, without room. */
function mapOf(...fullAtUs: number[]): BucketMap {
  const map = new BucketMap(crowded);
  for (const [i, us] of fullAtUs.entries()) map.set(String.fromCharCode(97 + i), us);
  return map;
}

const kept = (map: BucketMap, keys: string) => [...keys].map((key) => map.get(key));

describe('BucketMap', () => {
  it('knows what was put in, and nothing else', () => {
    const map = mapOf(5, 7);
    map.set('a', 6);
    expect([map.size, ...kept(map, 'abc')]).toEqual([2, 6, 7, undefined]);
    map.delete('a');
    map.delete('c');
    expect([map.size, ...kept(map, 'abc')]).toEqual([1, undefined, 7, undefined]);
  });

  it('finds a key again by its place, and notices when the place is no longer its own', () => {
    const map = mapOf(5, 7);
    const place = map.placeOf('a');
    expect([place !== undefined && map.at(place), map.placeOf('c')]).toEqual([5, undefined]);
    map.set('a', 6, place);
    expect(kept(map, 'ab')).toEqual([6, 7]);
    map.delete('a');
    map.set('a', 8, place);
    map.set('c', 9, place); // never its place
    expect([map.size, ...kept(map, 'abc')]).toEqual([3, 8, 7, 9]);
    map.delete('a');
    map.set('d', 1); // takes a's place
    map.set('a', 2, place);
    expect(kept(map, 'abcd')).toEqual([2, 7, 9, 1]);
    map.clear();
    map.set('a', 3, place);
    expect([map.size, ...kept(map, 'abcd')]).toEqual([1, 3, undefined, undefined, undefined]);
  });

  it('drops buckets that are full as its hand comes to them, two at a visit, and keeps the others', () => {
    const map = mapOf(10, 30, 10, 20, 30);
    map.sweep(20);
    expect(kept(map, 'abcde')).toEqual([undefined, 30, 10, 20, 30]);
    map.sweep(20);
    expect(kept(map, 'abcde')).toEqual([undefined, 30, undefined, undefined, 30]);
  });

  it('goes round again, and so finds later what was not full before', () => {
    const map = mapOf(10, 20);
    map.sweep(0);
    map.sweep(0); // the end of the round
    map.sweep(20);
    expect([map.size, ...kept(map, 'ab')]).toEqual([0, undefined, undefined]);
  });

  it('comes, within a round, to a bucket that was put in after the round began', () => {
    const map = mapOf(10, 10);
    map.sweep(5);
    map.set('c', 3);
    map.sweep(5);
    expect(kept(map, 'abc')).toEqual([10, 10, undefined]);
  });

  it('keeps the memory to what is in use when each visit adds a bucket', () => {
    const map = new BucketMap(crowded);
    const lastsUs = 100;
    let sizeMax = 0;
    for (let us = 0; us < 10_000; us++) {
      map.sweep(us);
      map.set(`key-${us}`, us + lastsUs);
      sizeMax = Math.max(sizeMax, map.size);
    }
    expect(sizeMax).toBeLessThanOrEqual(2 * lastsUs + 2);
  });

  it('lets what is full stay for a second while fewer than half as many as allowed are here, and no longer', () => {
    const map = new BucketMap(8);
    for (const key of 'abc') map.set(key, 10);
    map.sweep(1_000_009);
    map.sweep(1_000_009);
    expect(kept(map, 'abc')).toEqual([10, 10, 10]);
    map.sweep(1_000_010);
    expect(kept(map, 'abc')).toEqual([undefined, undefined, 10]);

    for (const key of 'def') map.set(key, 2_000_000);
    map.sweep(1_000_009); // on to c, with four here
    expect([map.size, map.get('c')]).toEqual([3, undefined]);
  });

  it('keeps the instants of all keys apart, however many come and go', () => {
    const map = new BucketMap(crowded);
    const expected = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const key = `key-${(i * 7919) % 5000}`;
      if (i % 3 === 2) {
        map.delete(key);
        expected.delete(key);
      } else {
        map.set(key, i);
        expected.set(key, i);
      }
    }
    expect(expected.size).toBeGreaterThan(2000); // more places than at first
    expect(map.size).toBe(expected.size);
    for (let n = 0; n < 5000; n++) expect(map.get(`key-${n}`)).toBe(expected.get(`key-${n}`));
  });

  it('forgets the key that was first put in, be it written since', () => {
    const map = mapOf(1, 2, 3);
    map.set('a', 9);
    map.deleteOldestFor('d');
    expect(kept(map, 'abc')).toEqual([undefined, 2, 3]);
  });

  it('does nothing with nothing', () => {
    const map = new BucketMap(crowded);
    map.deleteOldestFor('a');
    map.sweep(1);
    map.delete('a');
    expect(map.size).toBe(0);
  });

  it('can be filled again after it was emptied in the middle of a round', () => {
    const map = mapOf(10, 10, 10);
    map.sweep(0);
    map.delete('b');
    map.clear();
    map.set('d', 1);
    map.set('e', 2);
    expect([map.size, ...kept(map, 'abcde')]).toEqual([2, undefined, undefined, undefined, 1, 2]);
    map.sweep(2);
    expect(map.size).toBe(0);
  });

  it('has the instant of each of 5,000 keys as it was put in, also where its arrays grew', () => {
    const map = new BucketMap(crowded);
    for (let n = 1; n <= 5000; n++) map.set(`key-${n}`, n);
    expect(Array.from({ length: 5000 }, (_, i) => map.get(`key-${i + 1}`))).toEqual(
      Array.from({ length: 5000 }, (_, i) => i + 1),
    );
  });

  it('keeps a great many keys apart, forgets one for each that has no room, and those of long ago first', () => {
    const keysMax = 20_000; // in several parts
    const map = new BucketMap(keysMax);
    const put = (n: number) => {
      if (map.size >= keysMax) map.deleteOldestFor(`key-${n}`);
      map.set(`key-${n}`, n);
    };
    for (let n = 0; n < 3 * keysMax; n++) put(n);
    expect(map.size).toBe(keysMax);
    const here = Array.from({ length: 3 * keysMax }, (_, n) => n).filter((n) => map.get(`key-${n}`) === n);
    expect(here.length).toBe(keysMax);
    expect(here.filter((n) => n < 1.5 * keysMax)).toEqual([]);
    map.clear();
    expect([map.size, map.get(`key-${3 * keysMax - 1}`)]).toEqual([0, undefined]);
  });

  it('comes round to all of a great many keys, in half as many visits', () => {
    const map = new BucketMap(100_000);
    for (let n = 0; n < 10_000; n++) map.set(`key-${n}`, 5);
    for (let visit = 0; visit < 5000 + 128; visit++) map.sweep(1_000_005); // 128 parts
    expect(map.size).toBe(0);
  });

  it('forgets the oldest of 200,000 keys in a few microseconds of processor time, however many were forgotten before', () => {
    const [keysMax, forgotten] = [200_000, 100_000];
    const map = new BucketMap(keysMax);
    for (let n = 0; n < keysMax; n++) map.set(`key-${n}`, n);
    const before = process.threadCpuUsage();
    for (let n = keysMax; n < keysMax + forgotten; n++) {
      map.deleteOldestFor(`key-${n}`);
      map.set(`key-${n}`, n);
    }
    const used = process.threadCpuUsage(before);
    expect((used.user + used.system) / forgotten).toBeLessThan(20);
  });
});
