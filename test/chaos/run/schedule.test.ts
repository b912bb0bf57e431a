import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../chaos/errors.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { seeToItThatPossible } from '../../../chaos/load/load-changes.ts';
import { occurrencesOf } from '../../../chaos/run/schedule.ts';
import type { Reach, ScheduledFault } from '../../../chaos/scenario.ts';
import { scenarios } from '../../../scenarios/index.ts';
import { usualBounds } from '../../support/history-builder.ts';

const timing = { warmupMs: 1000, durationMs: 10_000 };
const partition: ScheduledFault = { use: { kind: 'partition' }, atMs: 2000, forMs: 1000 };
const planned = (faults: readonly ScheduledFault[]) =>
  occurrencesOf({ name: 'mine', timing, faults }, usualBounds, faultOf).map(({ planned: it }) => it);

describe('a schedule', () => {
  it('puts a fault on as often as it says, each time for as long', () => {
    const flapping = planned([{ ...partition, every: { ms: 1500, times: 3 } }]);
    expect(flapping.map(({ atMs, forMs }) => [atMs, forMs])).toEqual([
      [2000, 1000],
      [3500, 1000],
      [5000, 1000],
    ]);
  });

  it('lets faults overlap, in order of time', () => {
    const latency = {
      use: { kind: 'latency', latencyMs: 100 },
      on: 'one-store-link',
      atMs: 1500,
      forMs: 5000,
    } as const;
    expect(planned([partition, latency]).map(({ fault, reach }) => [fault, reach])).toEqual([
      ['latency', 'one-store-link'],
      ['partition', 'store-links'],
    ]);
  });

  it.each([
    ['partition', 'partition', 'one-store-link'],
    ['redis-kill', 'out-of-memory', undefined],
  ] as const)('refuses that %s and %s overlap, of which one would be healed with the other', (one, other, on) => {
    const first: ScheduledFault = { use: { kind: one }, atMs: 2000, forMs: 3000 };
    const second = (atMs: number): ScheduledFault => ({
      use: { kind: other },
      ...(on ? { on } : {}),
      atMs,
      forMs: 1000,
    });
    expect(planned([first, second(5000)]).map(({ fault }) => fault)).toEqual([one, other]);
    expect(() => planned([first, second(4999)])).toThrow(
      `${other} is to begin at 4999 ms, and ${one} before it ends at 5000 ms; what heals one would heal both.`,
    );
  });

  it('refuses whatever is to be in place while an instance cannot answer', () => {
    const stop: ScheduledFault = { use: { kind: 'instance-stop' }, atMs: 2500, forMs: 2000 };
    expect(() => planned([partition, stop])).toThrow(
      'instance-stop is to begin at 2500 ms, and partition before it ends at 3000 ms; of an instance that cannot answer',
    );
    expect(() => planned([{ ...partition, atMs: 3000 }, stop])).toThrow('partition is to begin at 3000 ms');
    expect(planned([partition, { ...stop, atMs: 3000 }])).toHaveLength(2);
  });

  it.each<[Partial<ScheduledFault>, string]>([
    [{ forMs: 0 }, 'is to last 0 ms; it has to last longer than 0.'],
    [{ forMs: Number.NaN }, 'is to last NaN ms; it has to last longer than 0.'],
    [{ atMs: 500 }, 'is to begin at 500 ms; the warm-up ends at 1000 ms.'],
    [{ forMs: 9000 }, 'is to end at 11000 ms; the run ends at 10000 ms.'],
    [{ every: { ms: 4000, times: 3 } }, 'is to end at 11000 ms; the run ends at 10000 ms.'],
    [
      { every: { ms: 500, times: 2 } },
      'is to be put on every 500 ms for 1000 ms; it has to be healed before it comes again.',
    ],
    [{ every: { ms: 1500, times: 0 } }, 'is to be put on 0 times; it has to be once at least.'],
    [{ on: 'one-shard' as Reach }, 'is to hit "one-shard"; it can hit: store-links, one-store-link.'],
  ])('with %j is refused before anything is started', (changes, mistake) => {
    expect(() => planned([{ ...partition, ...changes }])).toThrow(
      new UsageError(`The scenario mine cannot be run: partition ${mistake}`),
    );
  });

  it('of every scenario can be kept', () => {
    for (const scenario of scenarios) {
      occurrencesOf(scenario, usualBounds, faultOf);
      seeToItThatPossible(scenario);
    }
  });
});
