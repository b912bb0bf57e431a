import { describe, expect, it } from 'vitest';
import { decisionOfTake } from '../../../service/core/decision.ts';
import { createLimit, type Limit } from '../../../service/core/limit.ts';
import { takeOf } from '../../../service/core/store.ts';
import { RefusedKeys, topOf } from '../../../service/metrics/top-keys.ts';

const limitOf = (policy: string, window: string): Limit =>
  createLimit({
    policy,
    name: `${policy}-${window}`,
    prefix: `${policy}/${window}/`,
    capacity: 10,
    refillPerSecond: 1,
  });
const [search, searchSlow, login] = [limitOf('search', '10s'), limitOf('search', '1000s'), limitOf('login', '10s')];
const minuteUs = 60_000_000;

function counter() {
  const clock = { us: 0 };
  const keys = new RefusedKeys(() => clock.us);
  /** `debts`: of each limit's bucket, in tokens. */
  const refuse = (limits: Limit[], key: string, debts: number[]) => {
    const take = takeOf(limits, key, 1);
    keys.refused(
      take,
      decisionOfTake(
        take,
        'shared',
        false,
        debts.map((tokens) => tokens * 1_000_000),
        'redis',
      ),
    );
  };
  return { clock, keys, refuse };
}

describe('the keys that are refused most', () => {
  it('count by policy, whichever of its limits refuses, and the policy that binds where several do', () => {
    const { keys, refuse } = counter();
    refuse([search, searchSlow], 'a', [10, 0]);
    refuse([search, searchSlow], 'a', [0, 10]);
    refuse([search, searchSlow, login], 'b', [0, 0, 10]);
    expect(keys.all()).toEqual({
      keys: [
        { policy: 'search', key: 'a', refused: 2, errorAtMost: 0 },
        { policy: 'login', key: 'b', refused: 1, errorAtMost: 0 },
      ],
      unlistedMax: 0,
    });
  });

  it('are those of the last five to ten minutes', () => {
    const { clock, keys, refuse } = counter();
    const counted = () => keys.all().keys.map(({ key, refused }) => `${key} ${refused}`);
    refuse([login], 'a', [10]);
    clock.us += 5 * minuteUs;
    refuse([login], 'a', [10]);
    expect(counted()).toEqual(['a 2']);
    clock.us += 5 * minuteUs;
    refuse([login], 'b', [10]);
    expect(counted()).toEqual(['a 1', 'b 1']);
    clock.us += 10 * minuteUs;
    expect(counted()).toEqual([]);
  });

  it('are at most a thousand, of any number of keys', () => {
    const { clock, keys, refuse } = counter();
    for (let turn = 0; turn < 2; turn++) {
      for (let i = 0; i < 3000; i++) refuse([login], `${turn}-${i}`, [10]);
      for (let i = 0; i < 50; i++) refuse([login], 'hot', [10]);
      clock.us += 5 * minuteUs;
    }
    clock.us -= 5 * minuteUs;
    const { keys: top, unlistedMax } = keys.all();
    expect([top.length, top[0]?.key, unlistedMax > 0]).toEqual([1000, 'hot', true]);
    const { refused, errorAtMost } = top[0] as (typeof top)[number];
    expect([refused >= 100, refused - errorAtMost <= 100]).toEqual([true, true]);
  });

  it('of several counters are added, and a key that one does not list may have been its most that is not', () => {
    const key = (name: string, refused: number, errorAtMost = 0) => ({ policy: 'p', key: name, refused, errorAtMost });
    expect(
      topOf([
        { keys: [key('a', 9), key('b', 7, 2)], unlistedMax: 3 },
        { keys: [key('b', 5, 1)], unlistedMax: 4 },
        { keys: [], unlistedMax: 0 },
      ]),
    ).toEqual({ keys: [key('a', 13, 4), key('b', 12, 3)], unlistedMax: 7 });
  });
});
