// The command line of `npm run sim`, without starting a process for each mistake.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge } from '../../chaos/simulation/judged-world.ts';
import type { Plan } from '../../chaos/simulation/plan.ts';
import { wordsOf } from '../../chaos/targets/words.ts';
import { assertRoom, commandOf, planOf, simOptions } from '../../scenarios/sim-options.ts';
import { sayCosts } from '../../scenarios/sim-plan.ts';
import { SimProgress } from '../../scenarios/sim-progress.ts';
import { failing, shrunk } from '../../scenarios/sim-shrink.ts';
import { limitsIn } from '../../scenarios/simulated/policies.ts';
import { simulatedDefects } from '../support/simulated-defects.ts';

describe('npm run sim', () => {
  it.each([
    [['--instances', '0'], '--instances is "0"; allowed: a whole number from 1 to 100000.'],
    [['--seed', 'x'], '--seed is "x"; allowed: a whole number from 0 to'],
    [['--seed', '-1'], '--seed has no value; one that begins with a dash is written --seed=VALUE'],
    [['--seeds', '1.5'], '--seeds is "1.5"; allowed: a whole number from 1'],
    [['--minutes', '0'], '--minutes is "0"; allowed: a number from 0.3 to 600.'],
    [['--minutes', '1e1'], '--minutes is "1e1"'],
    [['--scenario', 'nope'], '--scenario is "nope"; allowed: storm, '],
    [['--faults', '1,,2'], '--faults is "1,,2"; allowed: numbers of faults'],
    [['--faults', '1,01'], '--faults is "1,01"; allowed: numbers of faults from 0, each once'],
    [['--rate', '0'], '--rate is "0"; allowed: a whole number from 1'],
    [['--policy', 'search'], '--policy is of a file of policies: --plan FILE.'],
    [['--json', '--plan', 'policies.yaml'], '--json is of worlds that are judged'],
    [['--bogus'], /^Unknown option '--bogus'\. Options: --scenario, .*\nnpm run sim /],
    [['storm'], "Unexpected argument 'storm'"],
  ])('refuses %j', (args, message) => {
    expect(() => simOptions(args)).toThrow(message);
  });

  it('names a fault that the seed does not have', () => {
    expect(() => planOf(simOptions(['--seed', '1', '--faults', '99']))).toThrow(
      '--faults names 99; allowed: from 0 to',
    );
  });

  it('tells on a terminal how far it is, and elsewhere nothing', () => {
    const told = (isTTY: boolean) => {
      const written: string[] = [];
      const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) };
      const progress = new SimProgress({ seeds: 3, minutes: 0.5 }, stream as unknown as NodeJS.WriteStream);
      progress.begin();
      const untilNs = process.hrtime.bigint() + 400_000_000n;
      while (process.hrtime.bigint() < untilNs) progress.answered({ receivedMs: 18_000 });
      return written.join('');
    };
    expect(told(true)).toMatch(/seed 1 of 3, minute 0\.3 of 0\.5, [1-9]\d* takes\/s/);
    expect(told(false)).toBe('');
  });

  it('says before it starts that a fleet would not find room', () => {
    const plan = planOf(simOptions(['--seed', '1', '--instances', '100000']));
    expect(() => assertRoom(plan)).toThrow(/^--instances is 100000: such a world needs about 15\.3 GB of memory/);
  });

  it('finds room for a thousand instances in whatever Node takes for its heap', () => {
    const options = ['--seed', '5', '--instances', '1000', '--minutes', '10', '--rate', '9000'];
    expect(() => assertRoom(planOf(simOptions(options)))).not.toThrow();
  });

  it.each([
    [['--seed', '1'], '--seed is of worlds that are judged, and --plan FILE prints a table.'],
    [['--minutes', '2'], '--minutes is of worlds that are judged'],
    [['--scenario', 'herd'], '--scenario is of worlds that are judged'],
    [['--rate', '60'], '--rate is of worlds that are judged'],
    [['--instances', '0'], '--instances is "0"; allowed: a whole number from 1 to 100000.'],
  ])('refuses %j beside --plan', (args, message) => {
    expect(() => simOptions(['--plan', 'policies.yaml', ...args])).toThrow(message);
  });

  it('says one row for each limit of a plan and outage, each as soon as it is known, in columns', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'plan-'));
    const plan = join(directory, 'policies.yaml');
    writeFileSync(plan, 'policies: [{name: a, key: address, limits: [2 per minute]}]');
    const lines: string[] = [];
    try {
      await sayCosts({ plan, policy: 'a', instances: 1 }, (line) => lines.push(line));
      await expect(sayCosts({ plan, policy: 'b', instances: 1 }, () => {})).rejects.toThrow(
        `--policy is "b"; allowed: a policy of ${plan}: a.`,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(lines.length).toBe(4);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[2]).toMatch(/^a +60 +[34] +4 +4 /);
  });

  it('makes a seed that fails smaller, and tells the command that lives through it again', async () => {
    const { core, seed, check } = simulatedDefects.find(
      ({ name }) => name === 'unlimited',
    ) as (typeof simulatedDefects)[0];
    const lived = (plan: Plan) => judge(plan, core);
    const options = simOptions(['--seed', String(seed), '--instances', '5']);
    const smallest = await shrunk(options, new Set([check]), lived);
    const command = commandOf(smallest);
    const again = simOptions(wordsOf(command).slice(4));
    expect(planOf(again)).toEqual(planOf(smallest));
    expect(failing(await lived(planOf(again)))).toContain(check);
    expect(smallest.faults?.length).toBeLessThanOrEqual(1);
    expect(planOf(smallest).rate).toBeLessThan(planOf(options).rate);
  });

  it('tells a command that a shell gives on as it is, also of a world without a fault', () => {
    for (const faults of ['', '0', '2,0']) {
      const options = simOptions(['--seed', '7', `--faults=${faults}`]);
      expect(simOptions(wordsOf(commandOf(options)).slice(4))).toMatchObject({ faults: options.faults });
    }
  });

  it('refuses a plan for a policy that the file does not have, and a file with mistakes', async () => {
    await expect(sayCosts({ plan: '/nowhere.yaml', policy: undefined, instances: 2 }, () => {})).rejects.toThrow(
      '--plan is "/nowhere.yaml", which cannot be read',
    );
    expect(() => limitsIn('policies: [{name: a, key: address, limits: [often]}]', 'a.yaml')).toThrow('a.yaml:1');
  });
});
