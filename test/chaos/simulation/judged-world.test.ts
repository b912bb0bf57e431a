// Storms over the shipped code, each judged; and that the judging finds what is wrong.

import { describe, expect, it } from 'vitest';
import { judge } from '../../../chaos/simulation/judged-world.ts';
import { situations } from '../../../chaos/simulation/situations.ts';
import { stormOf } from '../../../chaos/simulation/storm.ts';
import { planOf, simOptions } from '../../../scenarios/sim-options.ts';
import { failing } from '../../../scenarios/sim-shrink.ts';
import { service } from '../../../scenarios/simulated/limiter.ts';
import { simulatedDefects } from '../../support/simulated-defects.ts';

const fleet = { instances: 20, minutes: 0.5 };

describe('a simulated fleet', () => {
  it('lives through the same seed in the same way, to the byte, and through another in another', async () => {
    const hashOf = async (seed: number) => (await judge(stormOf(seed, { ...fleet, instances: 5 }), service)).hash;
    const [one, again, other] = [await hashOf(1), await hashOf(1), await hashOf(2)];
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect([again === one, other === one]).toEqual([true, false]);
  });

  it.each(situations)('keeps every bound: $name', async ({ planOf }) => {
    const judged = await judge(planOf(1, { instances: 10, minutes: 0.6 }), service);
    expect(judged.checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown')).toEqual([]);
    expect(judged.answers).toBeGreaterThan(1000);
  });

  // Each was a defect once.
  it.each([
    ['heartbeats in step', ['--seed', '4', '--instances', '20']],
    [
      'a refusal repeated from a bucket that a replica may have gone on with',
      '--seed 1572 --instances 10 --rate 30 --faults 0,2'.split(' '),
    ],
  ])('keeps every bound: %s', async (_defect, options) => {
    const { checks } = await judge(planOf(simOptions(options)), service);
    expect([...failing({ checks })]).toEqual([]);
  });

  it.each(simulatedDefects)('is found out: $name, by $check', async ({ core, seed, check }) => {
    expect([...failing(await judge(stormOf(seed, fleet), core))]).toContain(check);
  });
});
