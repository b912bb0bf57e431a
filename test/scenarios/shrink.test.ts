import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import type { Lever, ScheduledFault } from '../../chaos/scenario.ts';
import { latency } from '../../scenarios/latency.ts';
import { scenarioText } from '../../scenarios/scenario-text.ts';
import { fewest, shortest } from '../../scenarios/shrink.ts';
import { stormOf, stormOfOnly } from '../../scenarios/storm.ts';
import { stormFrom } from '../../scenarios/storm-file.ts';
import { projectDirectory, temporaryDirectory } from '../support/lab-processes.ts';

describe('the fewest that still fail', () => {
  const things = Array.from({ length: 16 }, (_, i) => i);

  it('is the one that fails by itself, found by halving', async () => {
    let asked = 0;
    const left = await fewest(things, async (some) => {
      asked++;
      return some.includes(11);
    });
    expect(left).toEqual([11]);
    expect(asked).toBeLessThanOrEqual(8);
  });

  it('are all that it takes, in their order, and none that it does not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray(things, { minLength: 1 }), async (needed) => {
        const left = await fewest(things, async (some) => needed.every((thing) => some.includes(thing)));
        expect(left).toEqual(needed);
      }),
    );
  });

  it('is everything where less never fails', async () => {
    expect(await fewest(things, async () => false)).toEqual(things);
  });
});

describe('the shortest that still fail', () => {
  const fault = (kind: string, forMs: number): ScheduledFault => ({
    use: { kind },
    on: 'store-links',
    atMs: 4500,
    forMs,
  });

  it('are halved as long as the schedule fails, each by itself, and not to less than what can be seen', async () => {
    const faults = [fault('one', 6000), fault('two', 5000), fault('three', 2000)];
    const lengthOf = (some: readonly ScheduledFault[], i: number) => some[i]?.forMs ?? 0;
    const left = await shortest(faults, async (some) => lengthOf(some, 0) >= 3000 && lengthOf(some, 2) >= 0);
    expect(left.map(({ forMs }) => forMs)).toEqual([3000, 2500, 2000]);
    expect(left.map(({ use, atMs }) => [use.kind, atMs])).toEqual(faults.map(({ use, atMs }) => [use.kind, atMs]));
  });

  it('are as they were where less does not fail', async () => {
    const faults = [fault('one', 6000)];
    expect(await shortest(faults, async () => false)).toEqual(faults);
  });
});

describe('the file of a storm', () => {
  const found = { seed: 7, rate: 600, target: 'command', command: 'sh -c \'node "a.js"\'', variables: ['A=1\n2'] };
  const levers: ReadonlySet<Lever> = new Set(['toxics', 'connections', 'redis-process', 'redis-config']);
  const storms = [1, 2, 3].map((seed) => stormOfOnly((stormOf(seed, 2, levers).faults ?? []).slice(0, 2 * seed - 1)));

  it.each(storms)('is one that loads as the same storm, wherever it stands: %#', (storm) => {
    using directory = temporaryDirectory();
    const service = { RATE_LIMIT: '10', REDIS_TIMEOUT_MS: '2000' };
    const named = { ...storm, name: 'found-7', hypothesis: "Redis's \\ and more", service };
    writeFileSync(join(directory.path, 'found-7.ts'), scenarioText(named, found, 'It failed.'));
    expect(stormFrom('found-7.ts', directory.path)).toEqual({ scenario: { ...named, name: 'storm' }, found });
  });

  it('of an older lab, which has no load of its own, loads as well', () => {
    const { scenario, found } = stormFrom('scenarios/latency.ts', projectDirectory);
    expect({ scenario, found }).toEqual({ scenario: { ...latency, name: 'storm' }, found: {} });
  });

  it.each([
    ['is not there', 'scenarios/nowhere.ts', '--replay is "scenarios/nowhere.ts", which cannot be loaded: Cannot find'],
    ['breaks nothing', 'scenarios/baseline.ts', 'scenarios/baseline.ts holds no storm: it exports no scenario'],
    ['has a load of its own', 'scenarios/herd.ts', 'holds no storm: its scenario is more than its faults. Run it by'],
  ])('that %s is refused', (_what, file, why) => {
    expect(() => stormFrom(file, projectDirectory)).toThrow(UsageError);
    expect(() => stormFrom(file, projectDirectory)).toThrow(why);
  });

  it('is in the project’s format', () => {
    const biome = join(projectDirectory, 'node_modules', '.bin', 'biome');
    for (const storm of storms) {
      const text = scenarioText({ ...storm, name: 'found-7' }, found, 'It failed.');
      const args = ['format', '--stdin-file-path=scenarios/found-7.ts'];
      expect(execFileSync(biome, args, { input: text, encoding: 'utf8', cwd: projectDirectory })).toBe(text);
    }
  });
});
