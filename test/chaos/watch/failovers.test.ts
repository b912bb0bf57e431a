import { describe, expect, it } from 'vitest';
import type { Failover } from '../../../chaos/environment.ts';
import type { HistoryEvent } from '../../../chaos/history.ts';
import { clientKeyOf, FailoverWatch } from '../../../chaos/watch/failovers.ts';
import { sinceZeroMs, zeroIn } from '../../../chaos/watch/observer.ts';

const keySuffix = '-0a1b2c3d4e';
const going = new AbortController().signal;

/** What a watch records of nodes that name these, look after look. */
async function recorded(
  looks: readonly (readonly (string | undefined)[])[],
  { forMs = 300, ...changes }: Partial<Failover> & { forMs?: number } = {},
) {
  let look = 0;
  const named = async () => looks[Math.min(look++, looks.length - 1)] ?? [];
  const events: HistoryEvent[] = [];
  const zero = zeroIn(0);
  const redis = { kill: async () => {}, start: async () => {}, failover: { victim: 'a:1', named, ...changes } };
  using watch = new FailoverWatch(redis, { zero, keySuffix }, (event) => events.push(event));
  await watch.place();
  await watch.until(sinceZeroMs(zero) + forMs, going);
  return events;
}

describe('the watch for a failover', () => {
  it('tells between which looks all who can be asked came to name another master', async () => {
    const looks = [
      ['a:1', undefined],
      [undefined, undefined],
      [undefined, 'a:2'],
      ['a:2', 'a:2'],
    ];
    const [event, ...more] = await recorded(looks, { forMs: 60_000 });
    expect([event, more]).toEqual([
      { type: 'failover', beginMs: expect.any(Number), endMs: expect.any(Number), from: 'a:1', to: 'a:2' },
      [],
    ]);
    if (event?.type !== 'failover') throw new Error('a failover');
    expect(event.endMs - event.beginMs).toBeGreaterThan(90); // two waits of 50 ms: the look that found them split is in between
  });

  it.each([
    ['nobody', [undefined, undefined]],
    ['the killed one', ['a:1', undefined]],
    ['two different ones', ['a:2', 'a:3']],
  ])('tells of none while they name %s', async (_what, names) => {
    expect(await recorded([names])).toEqual([]);
  });

  it('tells nothing where there is a single Redis', async () => {
    const events: HistoryEvent[] = [];
    const single = { kill: async () => {}, start: async () => {} };
    using watch = new FailoverWatch(single, { zero: zeroIn(0), keySuffix }, (event) => events.push(event));
    await watch.place();
    await watch.until(Number.POSITIVE_INFINITY, going);
    expect(events).toEqual([]);
  });
});

describe('the placement', () => {
  it("is each client's key with the master that was seen to hold it", async () => {
    const keys = async () =>
      new Map([
        ['a:1', ['rl:{3}:k0-0a1b2c3d4e', 'rl:{3}', 'rl:{3}:warm-up-7', 'rl:{3}:k0-ffffffffff']],
        ['a:2', ['rl:{5}:key:k12-0a1b2c3d4e', 'k7-0a1b2c3d4e']],
      ]);
    expect(await recorded([[]], { keys })).toEqual([
      {
        type: 'placement',
        atMs: expect.any(Number),
        victim: 'a:1',
        keys: { 'a:1': ['k0-0a1b2c3d4e'], 'a:2': ['k12-0a1b2c3d4e', 'k7-0a1b2c3d4e'] },
      },
    ]);
  });

  it.each([
    ['rl:{10}:k399-0a1b2c3d4e', 'k399-0a1b2c3d4e'],
    ['rl:{10}:key:k399-0a1b2c3d4e', 'k399-0a1b2c3d4e'],
    ['k3-0a1b2c3d4e', 'k3-0a1b2c3d4e'],
    ['bucket/k3-0a1b2c3d4e', 'k3-0a1b2c3d4e'],
    ['rl:{1}:unlock4-0a1b2c3d4e', undefined],
    ['rl:k3-0a1b2c3d4e:state', undefined],
    ['rl:{10}:k399-ffffffffff', undefined], // another run's
    ['rl:{10}:k399', undefined],
  ])('finds in the name %s the key %s', (name, key) => {
    expect(clientKeyOf(name, keySuffix)).toBe(key);
  });
});
