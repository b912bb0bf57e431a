import { readFile } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { Batcher } from '../../../service/core/batcher.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import { type Charge, type Decision, type Outcome, StoreError, type Take } from '../../../service/core/store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const limit = limitOf(100, 1);
const takeFor = takesOf(limit);
const costOf = ({ charges }: Take) => charges[0]?.cost ?? 0;

const decision = (remaining: number): Decision => ({
  allowed: true,
  limit: 100,
  remaining,
  retryAfterMs: 0,
  resetMs: 0,
  mechanism: 'redis',
  quota: limit.shared.quota,
});

/** Answers each take with its cost as `remaining`, unless told otherwise; keeps the calls. */
function createStore(
  answer: (takes: readonly Take[]) => Promise<Outcome[]> = async (takes) => takes.map((it) => decision(costOf(it))),
) {
  const calls: (readonly Take[])[] = [];
  return {
    calls,
    decideMany(takes: readonly Take[]) {
      calls.push(takes);
      return answer(takes);
    },
  };
}

/** A store that is answered by hand, call by call. */
function answeredByHand() {
  const answers: (() => void)[] = [];
  const store = createStore(
    (takes) => new Promise((resolve) => answers.push(() => resolve(takes.map((it) => decision(costOf(it)))))),
  );
  return { store, answers };
}
const turn = () => new Promise(setImmediate);
/** Long enough for an answer to be heard, in the same turn. */
const microtasksDone = () => new Promise(process.nextTick);

const take = (n: number): Take => takeFor(`key-${n}`, n);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => take(i + 1));

describe('Batcher', () => {
  it('sends all takes of a turn in one call, in their order, and gives each its own answer', async () => {
    const store = createStore();
    const batcher = new Batcher(store, 128);
    const decisions = await Promise.all(upTo(5).map((it) => batcher.decide(it)));
    expect(store.calls).toEqual([upTo(5)]);
    expect(decisions).toEqual([1, 2, 3, 4, 5].map(decision));
  });

  it('sends a call that is full at once, so that the store works while the rest of the turn is read', async () => {
    const { store, answers } = answeredByHand();
    const batcher = new Batcher(store, 2);
    const all = Promise.all(upTo(5).map((it) => batcher.decide(it)));
    expect(store.calls).toEqual([upTo(2), [take(3), take(4)]]);
    await turn();
    expect(store.calls.slice(2)).toEqual([[take(5)]]);
    for (const answer of answers) answer();
    expect(await all).toEqual([1, 2, 3, 4, 5].map(decision));
  });

  it('sends the takes of the next turn in the next call, without waiting for the answer of the first', async () => {
    const { store, answers } = answeredByHand();
    const batcher = new Batcher(store, 128);
    const first = batcher.decide(take(1));
    await turn();
    const second = batcher.decide(take(2));
    await turn();
    expect(store.calls).toEqual([[take(1)], [take(2)]]);
    answers[1]?.();
    expect(await second).toEqual(decision(2));
    answers[0]?.();
    expect(await first).toEqual(decision(1));
  });

  it('puts the takes of a turn that brought answers off by a turn, and sends them with that one', async () => {
    const { store, answers } = answeredByHand();
    const batcher = new Batcher(store, 128);
    batcher.decide(take(1));
    await turn();
    const before = batcher.decide(take(2));
    answers[0]?.();
    await microtasksDone();
    const after = batcher.decide(take(3));
    await turn();
    expect(store.calls).toEqual([[take(1)]]);
    const again = batcher.decide(take(4));
    await turn();
    expect(store.calls).toEqual([[take(1)], [take(2), take(3), take(4)]]);
    answers[1]?.();
    expect(await Promise.all([before, after, again])).toEqual([2, 3, 4].map(decision));
  });

  it('puts takes off once, however many turns bring answers', async () => {
    const { store, answers } = answeredByHand();
    const batcher = new Batcher(store, 128);
    for (let n = 1; n <= 3; n++) {
      batcher.decide(take(n));
      await turn();
    }
    batcher.decide(take(4));
    answers[0]?.();
    await microtasksDone();
    await turn();
    answers[1]?.();
    await microtasksDone();
    await turn();
    expect(store.calls.at(-1)).toEqual([take(4)]);
    batcher.decide(take(5)); // and the next not at all, unless it sees an answer of its own
    await turn();
    expect(store.calls.at(-1)).toEqual([take(5)]);
  });

  it('puts nothing off for an answer of an earlier turn, nor for a call that failed', async () => {
    const { store, answers } = answeredByHand();
    const batcher = new Batcher(store, 128);
    batcher.decide(take(1));
    await turn();
    answers[0]?.();
    await microtasksDone();
    await turn();
    batcher.decide(take(2));
    await turn();
    expect(store.calls.length).toBe(2);

    const failing = createStore(() => Promise.reject(new StoreError('timeout')));
    const broken = new Batcher(failing, 128);
    broken.decide(take(1)).catch(() => {});
    await turn();
    broken.decide(take(2)).catch(() => {});
    await turn();
    expect(failing.calls.length).toBe(2);
  });

  it('fails only the take of one who throws at its end', async () => {
    const batcher = new Batcher(createStore(), 128);
    const defect = new Error('a defect');
    const ended = () => {
      throw defect;
    };
    const results = await Promise.allSettled([
      batcher.decide(take(1)),
      new Promise((_, failed) => batcher.ask({ take: take(2), ended, failed })),
      batcher.decide(take(3)),
    ]);
    expect(results).toEqual([
      { status: 'fulfilled', value: decision(1) },
      { status: 'rejected', reason: defect },
      { status: 'fulfilled', value: decision(3) },
    ]);
  });

  it('tells a defect of the store as it is, and nobody an end', async () => {
    const defect = new TypeError('a defect');
    const batcher = new Batcher(
      createStore(() => Promise.reject(defect)),
      128,
    );
    const ended = vi.fn();
    const told = upTo(2).map((take) => new Promise((failed) => batcher.ask({ take, ended, failed })));
    expect(await Promise.all(told)).toEqual([defect, defect]);
    expect(ended).not.toHaveBeenCalled();
  });

  it('splits a turn of more takes than one call may hold, and loses none', async () => {
    const store = createStore();
    const batcher = new Batcher(store, 3);
    const decisions = await Promise.all(upTo(7).map((it) => batcher.decide(it)));
    expect(store.calls).toEqual([upTo(7).slice(0, 3), upTo(7).slice(3, 6), upTo(7).slice(6)]);
    expect(decisions).toEqual([1, 2, 3, 4, 5, 6, 7].map(decision));
  });

  it('counts the charges of a call, not its takes: one of many buckets holds the store as long as many', async () => {
    const store = createStore();
    const batcher = new Batcher(store, 3);
    const wide = (n: number, charges: number): Take => ({
      key: `${n}`,
      charges: Array.from({ length: charges }, () => take(n).charges[0] as Charge),
    });
    const takes = [wide(1, 1), wide(2, 2), wide(3, 5), wide(4, 2), wide(5, 2), wide(6, 1)];
    await Promise.all(takes.map((it) => batcher.decide(it)));
    expect(store.calls.map((call) => call.map(({ key }) => key))).toEqual([['1', '2'], ['3'], ['4'], ['5', '6']]);
  });

  it('has the same key twice in a turn decided in order', async () => {
    const local = new LocalStore({ keysMax: 9, nowUs: () => 0 });
    const store = createStore(async (takes) => takes.map((it) => local.decide(it)));
    const batcher = new Batcher(store, 128);
    const decisions = await Promise.all(
      ['a', 'b', 'a', 'a'].map((key) => batcher.decide(takesOf(limitOf(2, 0.1))(key))),
    );
    expect(store.calls.length).toBe(1);
    expect(decisions.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 1],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
  });

  it('lets a take that fails for its key alone harm no other', async () => {
    const wrong = new StoreError('wrongtype');
    const store = createStore(async (takes) => takes.map((it) => (costOf(it) === 2 ? wrong : decision(costOf(it)))));
    const batcher = new Batcher(store, 128);
    const results = await Promise.allSettled(upTo(3).map((it) => batcher.decide(it)));
    expect(results).toEqual([
      { status: 'fulfilled', value: decision(1) },
      { status: 'rejected', reason: wrong },
      { status: 'fulfilled', value: decision(3) },
    ]);
  });

  it('rejects all takes of a call that failed and none of another', async () => {
    const gone = new StoreError('timeout');
    const store = createStore(async (takes) => {
      if (takes.some((it) => costOf(it) === 1)) throw gone;
      return takes.map((it) => decision(costOf(it)));
    });
    const batcher = new Batcher(store, 2);
    const results = await Promise.allSettled(upTo(4).map((it) => batcher.decide(it)));
    expect(results).toEqual([
      { status: 'rejected', reason: gone },
      { status: 'rejected', reason: gone },
      { status: 'fulfilled', value: decision(3) },
      { status: 'fulfilled', value: decision(4) },
    ]);
  });

  it('answers a take that the store left out with an error', async () => {
    const batcher = new Batcher(
      createStore(async () => [decision(1)]),
      128,
    );
    const results = await Promise.allSettled([batcher.decide(take(1)), batcher.decide(take(2))]);
    expect(results).toEqual([
      { status: 'fulfilled', value: decision(1) },
      { status: 'rejected', reason: new StoreError('other', 'the store left this take out of its answer') },
    ]);
  });

  it('sends a lone take in the check phase of its own turn, before any timer', async () => {
    const order = await new Promise<string[]>((resolve) => {
      const seen: string[] = [];
      const store = createStore(async (takes) => {
        seen.push('sent');
        return takes.map(() => decision(0));
      });
      const batcher = new Batcher(store, 128);
      // The callback of an I/O, as that of a request, runs in the poll phase: check comes next, timers after it.
      readFile(new URL(import.meta.url), () => {
        setTimeout(() => {
          seen.push('timer');
          resolve(seen);
        }, 0);
        batcher.decide(take(1)).catch(() => {});
        seen.push('taken');
      });
    });
    expect(order).toEqual(['taken', 'sent', 'timer']);
  });
});
