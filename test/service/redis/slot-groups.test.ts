import { describe, expect, it } from 'vitest';
import { createLimit } from '../../../service/core/limit.ts';
import { StoreError, type Take, takeOf } from '../../../service/core/store.ts';
import { type Group, SlotGroups } from '../../../service/redis/slot-groups.ts';
import { RedisStore } from '../../../service/redis/store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const take = takesOf(limitOf(9, 1));
const tagOf = (key: string) => key[0] as string;
const takesIn = (keys: string): Take[] => keys.split(' ').map((key) => take(key));
const shown = (groups: ReturnType<SlotGroups['of']>) => groups.map(({ names, at }) => `${names.join(' ')} at ${at}`);

describe('the groups of a call', () => {
  it('are one with a single Redis', () => {
    const groups = new SlotGroups({ tagOf: undefined, hashKey: undefined, nowUs: () => 0 });
    const takes = takesIn('a1 b1 a1');
    expect(groups.of(takes)).toEqual([
      { tag: undefined, takes, names: ['rl:a1', 'rl:b1', 'rl:a1'], at: [0, 1, 2], isProbe: false },
    ]);
  });

  it('are one for each hash tag in a cluster', () => {
    const groups = new SlotGroups({ tagOf, hashKey: undefined, nowUs: () => 0 });
    expect(shown(groups.of(takesIn('a1 b1 a2 b1')))).toEqual([
      'rl:{a}:a1 rl:{a}:a2 at 0,2',
      'rl:{b}:b1 rl:{b}:b1 at 1,3',
    ]);
  });

  it('name buckets by what stands for their keys, behind what is no key', () => {
    const groups = new SlotGroups({ tagOf, hashKey: (key) => `hash of ${key}`, nowUs: () => 0 });
    const two = ['p/1s/', 'p/2s/'].map((prefix) => createLimit({ name: 'p', prefix, capacity: 1, refillPerSecond: 1 }));
    expect(groups.of([takeOf(two, 'a1', 1)])[0]?.names).toEqual(['rl:{a}:p/1s/hash of a1', 'rl:{a}:p/2s/hash of a1']);
  });

  it('are one for each key of a slot on the move, for ten seconds', () => {
    let nowUs = 0;
    const groups = new SlotGroups({ tagOf, hashKey: undefined, nowUs: () => nowUs });
    groups.keepApart(groups.of(takesIn('a9'))[0] as Group);
    const takes = takesIn('a1 b1 a2 b2 a1');
    const apart = ['rl:{a}:a1 rl:{a}:a1 at 0,4', 'rl:{b}:b1 rl:{b}:b2 at 1,3', 'rl:{a}:a2 at 2'];
    expect(shown(groups.of(takes))).toEqual(apart);
    nowUs = 10_000_000;
    expect(shown(groups.of(takes))).toEqual(['rl:{a}:a1 rl:{a}:a2 rl:{a}:a1 at 0,2,4', apart[1]]);
  });
});

describe('RedisStore with a cluster', () => {
  const replyTo = (keyCount: number) => [performance.now() * 1000, ...Array(keyCount).fill(1_000_000)];

  /** A store whose Redis answers a script as `evaluate` says, by its key names. */
  async function storeOver(evaluate: (names: string[]) => Promise<unknown>) {
    const evalsha = (_sha: string, keyCount: number, ...args: string[]) => evaluate(args.slice(0, keyCount));
    const client = { evalsha, eval: () => Promise.reject(new Error('the script is known')) };
    const nowUs = () => performance.now() * 1000;
    const store = new RedisStore({ client, timeoutMs: 1000, nowUs, tags: { of: tagOf, probe: () => 'a' } });
    await store.connected();
    return store;
  }
  const reasonsOf = (outcomes: readonly unknown[]) =>
    outcomes.map((outcome) => (outcome instanceof StoreError ? outcome.reason : 'decided'));

  it.each([
    ['late', (): Promise<unknown> => Promise.resolve(replyTo(0))],
    ['clusterdown', () => Promise.reject(new Error('CLUSTERDOWN Hash slot not served'))],
  ])('keeps what is %s in one slot to the takes of that slot', async (reason, failure) => {
    const store = await storeOver((names) =>
      names[0]?.startsWith('rl:{b}') ? failure() : Promise.resolve(replyTo(names.length)),
    );
    expect(reasonsOf(await store.decideMany(takesIn('a1 b1 a2')))).toEqual(['decided', reason, 'decided']);
    await expect(store.decideMany(takesIn('b1 b2'))).rejects.toMatchObject({ reason });
  });

  it.each([
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:6379',
  ])('sends key by key what was refused together with %j, and nothing together any more', async (refusal) => {
    const scripts: string[] = [];
    const store = await storeOver((names) => {
      scripts.push(names.join(' '));
      return names.length > 1 ? Promise.reject(new Error(refusal)) : Promise.resolve(replyTo(1));
    });
    scripts.length = 0;
    expect(reasonsOf(await store.decideMany(takesIn('a1 a2')))).toEqual(['decided', 'decided']);
    expect(reasonsOf(await store.decideMany(takesIn('a3 a4')))).toEqual(['decided', 'decided']);
    expect(scripts).toEqual(['rl:{a}:a1 rl:{a}:a2', 'rl:{a}:a1', 'rl:{a}:a2', 'rl:{a}:a3', 'rl:{a}:a4']);
  });
});
