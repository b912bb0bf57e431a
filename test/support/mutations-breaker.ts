// Breakers that say what is not so.

import type { BreakerEvent, History } from '../../chaos/history.ts';
import { move } from './history-events.ts';
import type { Mutation } from './mutation.ts';
import { at, soundRun } from './run-shapes.ts';

function withMoves(history: History, change: (moves: readonly BreakerEvent[]) => readonly BreakerEvent[]): History {
  return { ...history, breaker: change(history.breaker).toSorted((a, b) => a.atMs - b.atMs) };
}

const isOf = (size: number, { instance }: BreakerEvent) => Number(instance.at(-1)) <= size;

export const breakerMutations: readonly Mutation[] = [
  {
    kind: 'the breakers of {} instances say closed throughout',
    sizes: [1, 2],
    smallest: 1,
    run: (seed, size) => withMoves(soundRun('partition', seed), (moves) => moves.filter((it) => !isOf(size, it))),
    ...{ check: 'breaker', verdict: 'fail', also: ['trip'] },
  },
  {
    kind: 'the breakers of {} instances never say that they closed again',
    sizes: [1, 2],
    smallest: 1,
    run: (seed, size) =>
      withMoves(soundRun('partition', seed), (moves) => moves.filter((it) => !(isOf(size, it) && it.atMs > at.healMs))),
    ...{ check: 'breaker', verdict: 'fail' },
  },
  {
    kind: 'the breakers of {} instances say nothing of half-open during the fault',
    sizes: [1, 2],
    smallest: 1,
    run: (seed, size) =>
      withMoves(soundRun('stall', seed), (moves) =>
        moves.filter((it) => !isOf(size, it) || it.atMs > at.healMs || (it.from === 'closed' && it.to === 'open')),
      ),
    ...{ check: 'breaker', verdict: 'fail' },
  },
  {
    kind: 'a breaker that flaps {} times in the baseline',
    sizes: [1, 2, 3, 100],
    smallest: 3,
    run: (seed, size) =>
      withMoves(soundRun('partition', seed), (moves) => [
        ...Array.from({ length: size }, (_, i) => 10 + (i * 2900) / size).flatMap((ms) => [
          move('limiter-1', ms, 'closed', 'open'),
          move('limiter-1', ms + 10, 'open', 'half-open'),
          move('limiter-1', ms + 12, 'half-open', 'closed'),
        ]),
        ...moves,
      ]),
    ...{ check: 'breaker', verdict: 'fail' },
  },
  {
    kind: 'a breaker whose first {} moves are not told',
    sizes: [1],
    smallest: 1,
    run: (seed, size) =>
      withMoves(soundRun('latency of 100 ms', seed), (moves) => {
        const gone = moves.filter(({ instance }) => instance === 'limiter-1').slice(0, size);
        return moves.filter((it) => !gone.includes(it));
      }),
    ...{ check: 'breaker', verdict: 'fail', also: ['trip'] },
  },
  {
    kind: 'a breaker that closes from open {} times',
    sizes: [1],
    smallest: 1,
    run: (seed) =>
      withMoves(soundRun('redis-kill', seed), (moves) => {
        const closing = moves.find(({ to }) => to === 'closed');
        return moves.flatMap((it) => {
          if (it === closing) return [{ ...it, from: 'open' }];
          return it.instance === closing?.instance && it.to === 'half-open' && it.atMs > at.healMs ? [] : [it];
        });
      }),
    ...{ check: 'breaker', verdict: 'fail' },
  },
  {
    kind: 'a breaker open in name only, {} calls a second failing',
    sizes: [10, 20, 50, 100, 500],
    smallest: 100,
    run: (seed, size) => {
      const history = soundRun('partition', seed);
      const storeErrors = history.storeErrors.map((it) => {
        const openS = Math.max(0, Math.min(it.atMs, at.healMs) - at.injectMs) / 1000;
        const { timeout = 0 } = it.totals;
        return it.instance === 'limiter-1' ? { ...it, totals: { timeout: timeout + Math.round(openS * size) } } : it;
      });
      return { ...history, storeErrors };
    },
    ...{ check: 'breaker', verdict: 'fail' },
  },
];
