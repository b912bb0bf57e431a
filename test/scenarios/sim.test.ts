// The command line of `npm run sim`, without starting a process for each mistake.

import { describe, expect, it } from 'vitest';
import { judge } from '../../chaos/simulation/judged-world.ts';
import type { Plan } from '../../chaos/simulation/plan.ts';
import { assertRoom, commandOf, planOf, simOptions } from '../../scenarios/sim-options.ts';
import { costTable } from '../../scenarios/sim-plan.ts';
import { failing, shrunk } from '../../scenarios/sim-shrink.ts';
import { limitsIn } from '../../scenarios/simulated/policies.ts';
import { simulatedDefects } from '../support/simulated-defects.ts';

describe('npm run sim', () => {
  it.each([
    [['--instances', '0'], '--instances is "0"; allowed: a whole number from 1 to 100000.'],
    [['--seed', 'x'], '--seed is "x"; allowed: a whole number from 0 to'],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous"],
    [['--seeds', '1.5'], '--seeds is "1.5"; allowed: a whole number from 1'],
    [['--minutes', '0'], '--minutes is "0"; allowed: a number from 0.3 to 600.'],
    [['--minutes', '1e1'], '--minutes is "1e1"'],
    [['--scenario', 'nope'], '--scenario is "nope"; allowed: storm, '],
    [['--faults', '1,,2'], '--faults is "1,,2"; allowed: numbers of faults'],
    [['--rate', '0'], '--rate is "0"; allowed: a whole number from 1'],
    [['--policy', 'search'], '--policy is of a file of policies: --plan FILE.'],
    [['--bogus'], "Unknown option '--bogus'"],
    [['storm'], "Unexpected argument 'storm'"],
  ])('refuses %j', (args, message) => {
    expect(() => simOptions(args)).toThrow(message);
  });

  it('names a fault that the seed does not have', () => {
    expect(() => planOf(simOptions(['--seed', '1', '--faults', '99']))).toThrow(
      '--faults names 99; allowed: from 0 to',
    );
  });

  it('says before it starts that a fleet would not find room', () => {
    const plan = planOf(simOptions(['--seed', '1', '--instances', '100000']));
    expect(() => assertRoom(plan)).toThrow(/^--instances is 100000: such a world needs about \d+\.\d GB of memory/);
  });

  it('makes a seed that fails smaller, and tells the command that lives through it again', async () => {
    const { core, seed, check } = simulatedDefects.find(
      ({ name }) => name === 'unlimited',
    ) as (typeof simulatedDefects)[0];
    const lived = (plan: Plan) => judge(plan, core);
    const options = simOptions(['--seed', String(seed), '--instances', '5']);
    const smallest = await shrunk(options, new Set([check]), lived);
    const command = commandOf(smallest);
    const again = simOptions(command.split(' ').slice(4));
    expect(planOf(again)).toEqual(planOf(smallest));
    expect(failing(await lived(planOf(again)))).toContain(check);
    expect(smallest.faults?.length).toBeLessThanOrEqual(1);
    expect(planOf(smallest).rate).toBeLessThan(planOf(options).rate);
  });

  it('refuses a plan for a policy that the file does not have, and a file with mistakes', async () => {
    await expect(costTable({ plan: '/nowhere.yaml', policy: undefined, instances: 2 })).rejects.toThrow(
      '--plan is "/nowhere.yaml", which cannot be read',
    );
    expect(() => limitsIn('policies: [{name: a, key: address, limits: [often]}]', 'a.yaml')).toThrow('a.yaml:1');
  });
});
