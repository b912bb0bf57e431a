// The command line of `npm run arena`, without starting a process for each mistake.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import { arenaOptions } from '../../scenarios/arena-options.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';

it.each<[string[], RegExp]>([
  [['--targets', 'failopen,nobody'], /^There is no target "nobody"\. Targets: failopen, /],
  [['--scenarios', 'earthquake'], /^There is no scenario "earthquake"\. Scenarios: baseline, /],
  [['--targets', 'bare,bare'], /^--targets is "bare,bare"; allowed: names, each once, with commas/],
  [['--scenarios', 'partition,'], /^--scenarios is "partition,"; allowed: names/],
  [['--rate', '0'], /^--rate is "0"; allowed: a whole number from 1 to 20000\./],
  [['--fast'], /^Unknown option '--fast'/],
])('npm run arena refuses %j', (args, message) => {
  expect(() => arenaOptions(args)).toThrow(UsageError);
  expect(() => arenaOptions(args)).toThrow(message);
});

it('npm run arena compares the usual limiters in the telling scenarios when it is asked nothing', () => {
  const { targets, scenarios, seed, rate } = arenaOptions([]);
  expect([targets[0]?.name, scenarios.map(({ name }) => name), seed, rate]).toEqual([
    'failopen',
    ['baseline', 'partition', 'stall', 'latency', 'redis-kill'],
    1,
    1000,
  ]);
});

it('refuses two files of one name: the tables would show the results of the first in both rows', () => {
  using directory = temporaryDirectory();
  const files = ['a.yaml', 'b.yaml'].map((file) => join(directory.path, file));
  for (const file of files) writeFileSync(file, 'name: my-api\nstart: {command: node api.js}\n');
  const targets = files.join(',');
  expect(() => arenaOptions(['--targets', targets])).toThrow(
    `--targets is "${targets}", where two are called my-api; allowed: targets of different names.`,
  );
});
