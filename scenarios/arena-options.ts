// What `npm run arena` is told on its command line.

import { join } from 'node:path';
import { commandLine, outDirectory, typedIn, whole } from '../chaos/command-line.ts';
import { UsageError } from '../chaos/errors.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { comparedTargets, targetOf } from '../chaos/targets/index.ts';
import type { Target } from '../chaos/targets/target.ts';
import { rateMax, scenarioOf } from './arguments.ts';
import { scenarios } from './index.ts';

const runsDirectory = join(import.meta.dirname, '..', 'runs');
const usage = 'npm run arena [-- --targets A,B --scenarios X,Y --seed N --rate N --out DIR]';

/** Each shows another way to fail: nothing broken, silence, held data, slowness, a store that comes back empty. */
const telling = ['baseline', 'partition', 'stall', 'latency', 'redis-kill'];

export interface ArenaOptions {
  readonly targets: readonly Target[];
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  readonly rate: number;
  readonly out: string;
}

/** Throws a `UsageError` that names the option, its value and what is allowed. */
export function arenaOptions(args: readonly string[]): ArenaOptions {
  const { values } = commandLine(
    {
      args: [...args],
      options: {
        targets: { type: 'string', default: comparedTargets.map(({ name }) => name).join(',') },
        scenarios: { type: 'string', default: telling.join(',') },
        seed: { type: 'string', default: '1' },
        rate: { type: 'string', default: '1000' },
        out: { type: 'string', default: runsDirectory },
      },
    },
    usage,
  );
  const there = ` Scenarios: ${scenarios.map(({ name }) => name).join(', ')}.`;
  return {
    targets: targetsIn(values.targets),
    scenarios: listed('--scenarios', values.scenarios).map((name) => scenarioOf(name, there)),
    seed: whole('--seed', values.seed, 0, 0x7fffffff),
    rate: whole('--rate', values.rate, 1, rateMax),
    out: outDirectory(values.out),
  };
}

/** A file says what its limiter is called, so two may be called the same; the tables know them by their names. */
function targetsIn(text: string): readonly Target[] {
  const targets = listed('--targets', text).map((target) => targetOf({ target, variables: [], directory: typedIn }));
  const names = targets.map(({ name }) => name);
  const again = names.find((name, i) => names.indexOf(name) < i);
  if (again === undefined) return targets;
  throw new UsageError(
    `--targets is "${text}", where two are called ${again}; allowed: targets of different names.\n${usage}`,
  );
}

function listed(option: string, text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('') || new Set(names).size < names.length)
    throw new UsageError(`${option} is "${text}"; allowed: names, each once, with commas between them.\n${usage}`);
  return names;
}
