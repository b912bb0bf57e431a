// Storms over the shipped code, each judged; and that the judging finds what is wrong.

import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../chaos/simulation/faults.ts';
import { judge } from '../../../chaos/simulation/judged-world.ts';
import type { Observer } from '../../../chaos/simulation/observer.ts';
import { situationOf, situations } from '../../../chaos/simulation/situations.ts';
import { stormOf } from '../../../chaos/simulation/storm.ts';
import { nameOf } from '../../../chaos/simulation/world.ts';
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

  it('is joined by instances that take requests for as long as the fault lasts, and no longer', async () => {
    const plan = situationOf('autoscaling').planOf(1, { instances: 4, minutes: 0.6 });
    const { atMs, forMs, instances } = plan.faults.find(({ kind }) => kind === 'scale-out') as Fault;
    const joining = instances.map(nameOf);
    const sentMs: number[] = [];
    const observer: Observer = {
      answered: (answer) => {
        if (joining.includes(answer.instance)) sentMs.push(answer.sentMs);
      },
    };
    await judge(plan, service, undefined, [observer]);
    expect(sentMs.length).toBeGreaterThan(50);
    expect(Math.min(...sentMs)).toBeGreaterThanOrEqual(atMs);
    expect(Math.max(...sentMs)).toBeLessThanOrEqual(atMs + forMs);
  });

  it.each([
    ['told so', true],
    ['which has counted itself', false],
  ])('connects again within 100 ms when it is a single instance, %s', async (_how, told) => {
    const plan = situationOf('herd').planOf(1, { instances: 1, minutes: 0.6 });
    const faults = [5000, 9000, 13_000].map(
      (atMs): Fault => ({ kind: 'reset', atMs, forMs: 0, instances: [0], size: 1 }),
    );
    const connectedMs: number[] = [];
    const observer: Observer = { accepted: (_instance, atMs) => connectedMs.push(atMs) };
    await judge({ ...plan, told, load: [], faults }, service, undefined, [observer]);
    const waitedMs = faults.map(({ atMs }, i) => (connectedMs[i + 1] as number) - atMs);
    expect(connectedMs).toHaveLength(1 + faults.length);
    expect(Math.max(...waitedMs)).toBeLessThan(100);
  });

  // Each was a defect once.
  it.each([
    ['heartbeats in step', '--seed 4 --instances 20 --faults 0,1,2'.split(' ')],
    [
      'a refusal repeated from a bucket that a replica may have gone on with',
      '--seed 1572 --instances 10 --rate 30 --faults 0,2'.split(' '),
    ],
    [
      'a refusal by Redis that was judged when its instance, which had stood still, told it',
      '--seed 40007848 --instances 20 --rate 60 --faults 0'.split(' '),
    ],
  ])('keeps every bound: %s', async (_defect, options) => {
    const { checks } = await judge(planOf(simOptions(options)), service);
    expect([...failing({ checks })]).toEqual([]);
  });

  it.each(simulatedDefects)('is found out: $name, by $check', async ({ core, seed, check }) => {
    expect([...failing(await judge(stormOf(seed, fleet), core))]).toContain(check);
  });
});
