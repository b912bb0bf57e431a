// Limiters that are wrong, simulated as they are.

import type { History } from '../../chaos/history.ts';
import { usualBounds } from './history-builder.ts';
import type { Mutation } from './mutation.ts';
import { at, soundRun } from './run-shapes.ts';

const { capacity, refillPerSecond, fallbackCapacity, breakerFailures } = usualBounds;
const budget = ['fleet', 'remaining'];
const both = ['limiter-1', 'limiter-2'];

const bytesPerMiB = 2 ** 20;
/** What a collection of garbage gives back, once in so many looks. */
const garbage = { mebibytes: 12, looks: 5 };
const lookEveryMs = 500;

/** With looks at the memory of an instance that may grow by 64 MiB, and keeps so much of each second. */
function keeping(history: History, seed: number, mebibytesPerSecond: number): History {
  const memory = Array.from({ length: at.endMs / lookEveryMs }, (_, i) => {
    const kept = (mebibytesPerSecond * i * lookEveryMs) / 1000;
    const collected = ((i + seed) % garbage.looks) * (garbage.mebibytes / garbage.looks);
    const residentBytes = (100 + kept + collected) * bytesPerMiB;
    return { type: 'memory' as const, instance: 'limiter-2', atMs: i * lookEveryMs, residentBytes };
  });
  const bounds = { ...history.run.bounds, memoryGrowthMiB: 64 };
  return { ...history, run: { ...history.run, bounds }, memory };
}

export const limiterMutations: readonly Mutation[] = [
  {
    kind: 'capacity of Redis’s bucket + {} tokens',
    sizes: [1, 2],
    smallest: 1,
    run: (seed, size) => soundRun('partition', seed, { limits: { capacity: capacity + size } }),
    ...{ check: 'admission', verdict: 'fail', also: budget },
  },
  {
    kind: 'refill of Redis’s bucket + {} %',
    sizes: [0.05, 0.1, 0.3, 1, 3],
    smallest: 0.1,
    run: (seed, size) =>
      soundRun('latency of 1 ms', seed, { limits: { refillPerSecond: refillPerSecond * (1 + size / 100) } }),
    ...{ check: 'admission', verdict: 'fail', also: budget },
  },
  {
    kind: 'capacity of a fallback’s bucket + {} tokens',
    sizes: [1, 2],
    smallest: 1,
    run: (seed, size) => soundRun('partition', seed, { limits: { fallbackCapacity: fallbackCapacity + size } }),
    ...{ check: 'admission', verdict: 'fail', also: budget },
  },
  {
    kind: 'capacity of a fallback’s bucket − {} tokens',
    sizes: [1, 5],
    smallest: 1,
    run: (seed, size) => soundRun('partition', seed, { limits: { fallbackCapacity: fallbackCapacity - size } }),
    ...{ check: 'needless-refusal', verdict: 'fail' },
  },
  {
    kind: 'capacity of Redis’s bucket − {} tokens',
    sizes: [1, 5],
    smallest: 1,
    run: (seed, size) => soundRun('partition', seed, { limits: { capacity: capacity - size } }),
    ...{ check: 'ghost-takes', verdict: 'fail', also: ['needless-refusal'] },
  },
  {
    kind: 'a breaker that waits for {} failures more',
    sizes: [1, 10, 20, 30, 60],
    smallest: 20,
    run: (seed, size) => soundRun('partition', seed, { limits: { breakerFailures: breakerFailures + size } }),
    ...{ check: 'trip', verdict: 'fail', also: ['fails-open'] },
  },
  {
    kind: 'both instances back with Redis {} ms after the heal',
    sizes: [500, 1000, 2000, 3000],
    smallest: 2000,
    run: (seed, size) =>
      soundRun('partition', seed, { hangs: { instances: both, fromMs: at.healMs, toMs: at.healMs + size } }),
    ...{ check: 'recovery', verdict: 'fail', also: ['fails-open'] },
  },
  {
    kind: 'one instance on its fallback for {} ms of the baseline',
    sizes: [1000, 2000, 2900],
    smallest: 2900,
    run: (seed, size) => soundRun('partition', seed, { hangs: { instances: ['limiter-2'], fromMs: 50, toMs: size } }),
    ...{ check: 'fails-open', verdict: 'fail' },
  },
  {
    kind: 'one instance that is spared on its fallback for {} ms',
    sizes: [1000, 2000, 8500],
    smallest: 8500,
    run: (seed, size) =>
      soundRun('one link', seed, {
        hangs: { instances: ['limiter-2'], fromMs: at.injectMs, toMs: at.injectMs + size },
      }),
    ...{ check: 'isolation', verdict: 'fail', also: ['fails-open'] },
  },
  {
    kind: 'one instance that keeps {} MiB of each second',
    sizes: [1, 9, 10, 20],
    smallest: 10,
    run: (seed, size) => keeping(soundRun('partition', seed), seed, size),
    ...{ check: 'memory', verdict: 'fail' },
  },
];
