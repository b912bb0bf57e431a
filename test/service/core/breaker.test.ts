import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Breaker, type BreakerState, resetJitterRatio } from '../../../service/core/breaker.ts';
import { type Outcome, StoreError } from '../../../service/core/store.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

interface Call {
  readonly resolve: () => void;
  readonly reject: () => void;
}

const limit = limitOf(5, 0.5);
const takes = [takesOf(limit)('a')];
const outcomes: Outcome[] = [
  {
    allowed: true,
    limit: 5,
    remaining: 4,
    retryAfterMs: 0,
    resetMs: 2000,
    mechanism: 'redis',
    quota: limit.shared.quota,
  },
];
const resetMs = 1000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A breaker whose calls and probes end when the test says so. `random` 0.5 makes every wait exactly `resetMs`. */
function createBreaker({ failures = 3, random = (): number => 0.5 } = {}) {
  const calls: Call[] = [];
  const probes: Call[] = [];
  const moves: [BreakerState, BreakerState][] = [];
  const pending = <T>(list: Call[], value: T) =>
    new Promise<T>((resolve, reject) => {
      list.push({ resolve: () => resolve(value), reject: () => reject(new StoreError('timeout')) });
    });
  const breaker = new Breaker(
    { decideMany: () => pending(calls, outcomes) },
    {
      failures,
      resetMs,
      probe: () => pending(probes, undefined),
      random,
      onTransition: (from, to) => moves.push([from, to]),
    },
  );
  /** Lets everything that has been settled take effect, and time pass. */
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const begin = () => {
    breaker.decideMany(takes).catch(() => {});
    return calls.at(-1) as Call;
  };
  const fail = async (times = 1) => {
    for (let i = 0; i < times; i++) {
      begin().reject();
      await pass(0);
    }
  };
  const succeed = async () => {
    begin().resolve();
    await pass(0);
  };
  return { breaker, calls, probes, moves, pass, begin, fail, succeed };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Breaker', () => {
  it('passes answers and errors through while closed', async () => {
    const { breaker, calls, pass } = createBreaker();
    const answered = breaker.decideMany(takes);
    calls[0]?.resolve();
    expect(await answered).toBe(outcomes);
    const broken = expect(breaker.decideMany(takes)).rejects.toEqual(new StoreError('timeout'));
    calls[1]?.reject();
    await broken;
    await pass(0);
    expect(breaker.state).toBe('closed');
  });

  it('opens after as many failures in a row as configured, and not before', async () => {
    const { breaker, moves, fail } = createBreaker({ failures: 3 });
    await fail(2);
    expect([breaker.state, moves]).toEqual(['closed', []]);
    await fail(1);
    expect([breaker.state, moves]).toEqual(['open', [['closed', 'open']]]);
  });

  it('takes the calls that were in flight together for one hiccup, and opens when the next fails too', async () => {
    const { breaker, begin, pass, fail } = createBreaker({ failures: 3 });
    for (const call of Array.from({ length: 20 }, begin)) call.reject();
    await pass(0);
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  it('does not open when the call after the hiccup is answered', async () => {
    const { breaker, begin, pass, fail, succeed } = createBreaker({ failures: 3 });
    for (const call of Array.from({ length: 20 }, begin)) call.reject();
    await pass(0);
    await succeed();
    await fail(2);
    expect(breaker.state).toBe('closed');
  });

  it('opens after a single failure where one is enough', async () => {
    const { breaker, fail } = createBreaker({ failures: 1 });
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  it('stays closed when a success comes between the failures, however many there are', async () => {
    const { breaker, moves, fail, succeed } = createBreaker({ failures: 3 });
    for (let i = 0; i < 20; i++) {
      await fail(2);
      await succeed();
    }
    expect([breaker.state, moves]).toEqual(['closed', []]);
  });

  it('stays closed when a take fails for its key alone', async () => {
    const store = { decideMany: async () => [new StoreError('wrongtype')] };
    const options = { failures: 1, resetMs, probe: async () => {}, random: () => 0.5 };
    const breaker = new Breaker(store, options);
    for (let i = 0; i < 5; i++) await breaker.decideMany(takes);
    await vi.advanceTimersByTimeAsync(0);
    expect(breaker.state).toBe('closed');
  });

  it('counts the failures anew after it has closed', async () => {
    const { breaker, probes, pass, fail } = createBreaker({ failures: 3 });
    await fail(3);
    await pass(resetMs);
    probes[0]?.resolve();
    await pass(0);
    await fail(2);
    expect(breaker.state).toBe('closed');
    await fail(1);
    expect(breaker.state).toBe('open');
  });

  it('rejects at once, and asks nothing of the store, while open', async () => {
    const { breaker, calls, fail } = createBreaker();
    await fail(3);
    await expect(breaker.decideMany(takes)).rejects.toEqual(new StoreError('disconnected', 'the breaker is open'));
    expect(calls.length).toBe(3);
  });

  it('asks nothing of the store while half-open but one probe', async () => {
    const { breaker, calls, probes, pass, fail } = createBreaker();
    await fail(3);
    await pass(resetMs);
    for (let i = 0; i < 10; i++) {
      await expect(breaker.decideMany(takes)).rejects.toEqual(
        new StoreError('disconnected', 'the breaker is half-open'),
      );
      await pass(10 * resetMs);
    }
    expect([breaker.state, calls.length, probes.length]).toEqual(['half-open', 3, 1]);
  });

  it('closes when the probe is answered', async () => {
    const { breaker, probes, moves, pass, fail, succeed } = createBreaker();
    await fail(3);
    await pass(resetMs);
    probes[0]?.resolve();
    await pass(0);
    expect([breaker.state, moves]).toEqual([
      'closed',
      [
        ['closed', 'open'],
        ['open', 'half-open'],
        ['half-open', 'closed'],
      ],
    ]);
    await succeed();
  });

  it('opens again when the probe fails, and probes again', async () => {
    const { breaker, probes, moves, pass, fail } = createBreaker();
    await fail(3);
    await pass(resetMs);
    probes[0]?.reject();
    await pass(0);
    expect(breaker.state).toBe('open');
    await pass(resetMs - 1);
    expect(breaker.state).toBe('open');
    await pass(1);
    expect([breaker.state, probes.length]).toEqual(['half-open', 2]);
    expect(moves.slice(1)).toEqual([
      ['open', 'half-open'],
      ['half-open', 'open'],
      ['open', 'half-open'],
    ]);
  });

  it('does not let a call begun before the opening close it, nor open it again', async () => {
    const { breaker, probes, moves, pass, begin, fail } = createBreaker();
    const early = Array.from({ length: 10 }, begin);
    await fail(3);
    early[0]?.resolve();
    early[1]?.reject();
    await pass(0);
    expect(breaker.state).toBe('open');
    await pass(resetMs);
    early[2]?.resolve();
    early[3]?.reject();
    await pass(0);
    expect([breaker.state, probes.length]).toEqual(['half-open', 1]);
    probes[0]?.resolve();
    await pass(0);
    for (const call of early.slice(4)) call.reject();
    await pass(0);
    expect([breaker.state, moves.length]).toEqual(['closed', 3]);
  });

  it('still answers whoever began a call before the opening', async () => {
    const { breaker, calls, fail } = createBreaker();
    const early = breaker.decideMany(takes);
    await fail(3);
    calls[0]?.resolve();
    expect(await early).toBe(outcomes);
  });

  it('holds on to no answer that came after it had moved', async () => {
    const answers: PromiseWithResolvers<Outcome[]>[] = [];
    const decideMany = () => {
      answers.push(Promise.withResolvers());
      return answers.at(-1)?.promise as Promise<Outcome[]>;
    };
    const breaker = new Breaker({ decideMany }, { failures: 1, resetMs, probe: async () => {}, random: () => 0.5 });
    breaker.decideMany(takes);
    breaker.decideMany(takes).catch(() => {});
    answers.pop()?.reject(new StoreError('timeout'));
    await vi.advanceTimersByTimeAsync(0);
    expect(breaker.state).toBe('open');

    /** Nothing here holds on to the answer. */
    const answerLate = () => {
      const answer = [...outcomes];
      answers.pop()?.resolve(answer);
      return new WeakRef(answer);
    };
    const held = answerLate();
    await turn();
    collectGarbage();
    expect(held.deref()).toBe(undefined);
  });

  it('draws each wait before a probe anew, within the jitter', async () => {
    const draws = [0, 0.999_999, 0.25, 0.5];
    const { breaker, probes, pass, fail } = createBreaker({ random: () => draws.shift() ?? 0.5 });
    await fail(3);
    const waitsMs: number[] = [];
    for (const _ of [1, 2, 3, 4]) {
      let waitedMs = 0;
      for (; breaker.state === 'open'; waitedMs += 1) await pass(1);
      waitsMs.push(waitedMs);
      probes.at(-1)?.reject();
      await pass(0);
    }
    expect(waitsMs).toEqual([
      resetMs * (1 - resetJitterRatio),
      resetMs * (1 + resetJitterRatio),
      resetMs * (1 - resetJitterRatio / 2),
      resetMs,
    ]);
  });

  it('probes no more once it is closed down', async () => {
    const { breaker, probes, pass, fail } = createBreaker();
    await fail(3);
    breaker.close();
    await pass(10 * resetMs);
    expect(probes.length).toBe(0);
  });

  it('is what the rules make of it under any interleaving of calls, ends and waits', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('begin' as const) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(), ok: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('probe ends' as const), ok: fc.boolean() }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 600, resetMs) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 60, size: 'max' }),
        async (failures, steps) => {
          const { breaker, calls, probes, moves, pass } = createBreaker({ failures });

          // The rules of design §7.5, in a model of their own.
          let state = 'closed' as BreakerState;
          const expectedMoves: [BreakerState, BreakerState][] = [];
          let inARow = 0;
          let openForMs = 0;
          let begun = 0;
          let probed = 0;
          let probeEnded = true;
          let begunBeforeRow = 0;
          const open: { call: Call; era: number; number: number }[] = [];
          const move = (to: BreakerState) => {
            expectedMoves.push([state, to]);
            state = to;
            inARow = 0;
            openForMs = 0;
          };

          for (const it of steps) {
            if (it.do === 'begin') {
              breaker.decideMany(takes).catch(() => {});
              if (state === 'closed') {
                begun++;
                open.push({ call: calls.at(-1) as Call, era: expectedMoves.length, number: begun });
              }
            } else if (it.do === 'end' && open.length > 0) {
              const [ended] = open.splice(it.which % open.length, 1);
              if (it.ok) ended?.call.resolve();
              else ended?.call.reject();
              if (ended?.era === expectedMoves.length) {
                if (!it.ok && inARow === 0) begunBeforeRow = begun;
                inARow = it.ok ? 0 : inARow + 1;
                const isRetried = failures === 1 || ended.number > begunBeforeRow;
                if (inARow >= failures && isRetried) move('open');
              }
            } else if (it.do === 'probe ends' && !probeEnded) {
              probeEnded = true;
              if (it.ok) probes.at(-1)?.resolve();
              else probes.at(-1)?.reject();
              move(it.ok ? 'closed' : 'open');
            } else if (it.do === 'wait') {
              await pass(it.ms);
              if (state === 'open') openForMs += it.ms;
              if (state === 'open' && openForMs >= resetMs) {
                move('half-open');
                probed++;
                probeEnded = false;
              }
            }
            await pass(0);
            expect([breaker.state, moves, calls.length, probes.length]).toEqual([state, expectedMoves, begun, probed]);
          }
          breaker.close();
          vi.clearAllTimers();
        },
      ),
      { numRuns: 300 },
    );
  });
});
