import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf } from '../../chaos/bounds.ts';
import { faultKinds, faultOf } from '../../chaos/faults/index.ts';
import { occurrencesOf } from '../../chaos/run/schedule.ts';
import type { FaultSpec, Lever, Scenario } from '../../chaos/scenario.ts';
import { replayOf, stormOf, stormOfOnly } from '../../scenarios/storm.ts';
import { buildHistory } from '../support/history-builder.ts';

const all: ReadonlySet<Lever> = new Set([
  'toxics',
  'front-toxics',
  'connections',
  'prometheus-process',
  'redis-process',
  'redis-config',
  'redis-program',
  'limiter-process',
  'topology',
]);
const bounds = boundsOf({ INSTANCES: '2' });
const planned = (scenario: Scenario) => occurrencesOf(scenario, bounds, faultOf).map(({ planned }) => planned);
const kindsOf = ({ faults = [] }: Scenario) => faults.map(({ use }) => use.kind);

describe('a storm', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(stormOf(7, 5, all)).toEqual(stormOf(7, 5, all));
    expect(stormOf(8, 5, all)).not.toEqual(stormOf(7, 5, all));
  });

  it('is a schedule that can be kept, whatever its seed and length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), fc.integer({ min: 1, max: 20 }), (seed, minutes) => {
        const storm = stormOf(seed, minutes, all);
        expect(planned(storm).length).toBeGreaterThanOrEqual(3 * minutes);
        expect(storm.timing.durationMs).toBe(minutes * 60_000);
      }),
      { numRuns: 50 },
    );
  });

  it('has every kind of fault that one Redis can suffer, of those for which there is a lever', () => {
    const kinds = (levers: readonly Lever[]) => new Set(kindsOf(stormOf(1, 60, new Set(levers))));
    expect(kinds(['toxics'])).not.toContain('redis-kill');
    expect(kinds(['redis-process'])).toEqual(new Set(['redis-kill']));
    const most = kinds([...all]);
    expect([...most]).toEqual(expect.arrayContaining(['partition', 'slicer', 'redis-kill', 'read-only']));
    expect(most).not.toContain('master-kill');
  });

  it('has faults two at a time, of which each is alone for long enough to be seen by itself', () => {
    const faults = [...(stormOf(2, 60, all).faults ?? [])];
    const pairs = faults.flatMap((one, i) => {
      const other = faults[i + 1];
      return other && other.atMs < one.atMs + one.forMs ? [[one, other] as const] : [];
    });
    expect(pairs.length).toBeGreaterThan(faults.length / 8);
    for (const [one, other] of pairs) {
      expect(other.atMs - one.atMs).toBeGreaterThanOrEqual(1500);
      expect(other.atMs + other.forMs - one.atMs - one.forMs).toBeGreaterThanOrEqual(1500);
    }
    const [one, other] = pairs[3] ?? [];
    if (!one || !other) throw new Error('no pair');
    const [shifted, second] = stormOfOnly([faults[0] ?? one, one, other]).faults?.slice(1) ?? [];
    expect((second?.atMs ?? 0) - (shifted?.atMs ?? 0)).toBe(other.atMs - one.atMs);
  });

  it('of a few faults is of the family of the first of them, whatever the fault', () => {
    const familyOf = (use: FaultSpec) => stormOfOnly([{ use, atMs: 0, forMs: 2000 }]).family;
    expect(familyOf({ kind: 'redis-stop' })).toBe('redis');
    expect(familyOf({ kind: 'slow-close', delayMs: 500 })).toBe('network');
    for (const { examples } of faultKinds) {
      const [use] = examples as [FaultSpec];
      const isOfNodes = faultOf(use).needs.includes('topology');
      expect({ use, isSteady: familyOf(use) === 'steady' }).toEqual({ use, isSteady: isOfNodes });
    }
  });

  it('that was recorded is the same schedule when it is put on again', () => {
    const storm = stormOf(3, 1, all);
    const { run } = buildHistory();
    const recorded = {
      ...run,
      schedule: planned(storm),
      planned: { durationMs: storm.timing.durationMs, requests: {}, placed: false },
    };
    expect(planned(replayOf(recorded, 'a-run'))).toEqual(planned(storm));
    const [first] = recorded.schedule;
    if (!first) throw new Error('a storm without faults');
    const { use: _, ...older } = first;
    expect(() => replayOf({ ...recorded, schedule: [older] }, 'a-run')).toThrow(/^a-run does not tell its faults' /);
    expect(() => replayOf({ ...recorded, schedule: [] }, 'a-run')).toThrow(/^a-run has no schedule/);
    const told = { withoutStore: { answer: 'allow' } } as const;
    expect(() => replayOf({ ...recorded, ...told }, 'a-run')).toThrow(/^a-run is a run whose limiter was told/);
  });

  it('of some of its faults alone has those in their order, and can be kept', () => {
    const { faults = [] } = stormOf(5, 10, all);
    const some = stormOfOnly(faults.filter((_, i) => i % 3 === 0));
    expect(kindsOf(some)).toEqual(faults.filter((_, i) => i % 3 === 0).map(({ use }) => use.kind));
    expect(planned(some)).toHaveLength(Math.ceil(faults.length / 3));
    expect(some.timing.durationMs).toBeLessThan(600_000);
  });
});
