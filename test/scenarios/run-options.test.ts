// The command line of `npm run scenario` and `npm run suite`, without starting a process for each mistake.

import { describe, expect, it } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import { scenarios } from '../../scenarios/index.ts';
import { listing, runOptions } from '../../scenarios/run-options.ts';

describe('npm run scenario', () => {
  it.each<[string[], string | RegExp]>([
    [['earthquake'], `There is no scenario "earthquake".\n\n${listing(scenarios)}`],
    [['baseline', 'earthquake'], 'There is no scenario "earthquake".'],
    [
      ['partition', '--sed', '1'],
      /^Unknown option '--sed'; did you mean --seed\? Options: --driver, .*--seed, --rate, --out, --json, --list, .*\nnpm run scenario NAME/,
    ],
    [['partition', '--family', 'network'], '--family is of the suite: npm run suite.'],
    [['--suite', '--shard', '5/4'], /^--shard is "5\/4"; allowed: K\/N/],
    ...['kubernetes', 'constructor', '__proto__'].map((driver): [string[], RegExp] => [
      ['partition', '--driver', driver],
      new RegExp(`^There is no driver "${driver}"\\. Drivers: auto, native`),
    ]),
    ...[
      ['--seed', 'x'],
      ['--seed', '1.5'],
      ['--seed', ''],
      ['--seed', '2147483648'],
      ['--rate', '0'],
      ['--rate', '20001'],
      ['--rate', '1e3'],
    ].map(([option = '', value = '']): [string[], RegExp] => [
      ['partition', option, value],
      new RegExp(`^${option} is "${value}"; allowed: a whole number from \\d+ to \\d+\\.$`),
    ]),
    [['partition', '--seed=-1'], /^--seed is "-1"; allowed: /],
    [['partition', '--seed'], /^Option '--seed <value>' argument missing/],
    [['storm', '--minutes', '0'], /^--minutes is "0"; allowed: a whole number from 1 to 60\./],
    [['partition', '--minutes', '2'], /^--minutes is of a storm: npm run scenario storm\./],
    [['storm', 'partition'], /^A storm is run by itself, and not with others\./],
    [['partiton'], 'There is no scenario "partiton"; did you mean partition? npm run scenario lists all.'],
    [['strom'], 'There is no scenario "strom"; did you mean storm? npm run scenario lists all.'],
    [['partition', '--target', 'baer'], /^There is no target "baer"; did you mean bare\? Targets: failopen, /],
    [['partition', '--out', ''], /^--out is ""; allowed: a directory/],
    [['storm', '--replay', 'a', '--seed', '1'], '--seed is of a new storm: --replay takes that of the run.'],
    [['storm', '--shrink', 'a', '--rate', '600'], '--rate is of a new storm: --shrink takes that of the run.'],
    [['storm', '--shrink', 'a', '--json'], '--shrink prints a file for scenarios/, and no JSON.'],
    [['storm', '--replay', 'a', '--shrink', 'b'], /^One of --replay, --shrink can be done/],
  ])('refuses %j', (args, message) => {
    expect(() => runOptions(args)).toThrow(UsageError);
    expect(() => runOptions(args)).toThrow(message);
  });

  it('is not broken into lines for a terminal that does not know its width', () => {
    expect(listing(scenarios, 0)).toBe(listing(scenarios));
  });

  it('lists the scenarios in lines that a terminal has room for, with their names in a column of their own', () => {
    const lines = listing(scenarios, 80).split('\n');
    const end = lines.findIndex((line) => line.startsWith('Run one'));
    for (const line of lines.slice(0, end)) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines).toContain('  partition            When every packet to and from Redis is dropped, each');
    expect(lines).toContain('                       request is decided by the fallback in time.');
  });

  it('says in its help what each of its options is', () => {
    const said = (args: string[]) => {
      try {
        runOptions(args);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const [, options = ''] = /Options: (.*)\.\n/.exec(said(['--bogus'])) ?? [];
    const names = options.split(', ');
    expect(names).toContain('--target-env');
    const lines = said(['--help']).split('\n');
    for (const name of names.filter((it) => it !== '--suite' && it !== '--help'))
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^  ${name}( |$)`)));
  });

  it('lists those that a driver can run, when it is named', () => {
    const names = runOptions(['--list', '--driver', 'containers']).chosen.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['partition', 'sentinel-failover']));
    expect(names).not.toContain('redis-stop'); // which needs the program itself
  });

  it('lists all scenarios when it is asked to, and when it is asked nothing', () => {
    for (const args of [[], ['--list']]) {
      const { list, chosen } = runOptions(args);
      expect({ list, chosen }).toEqual({ list: true, chosen: scenarios });
    }
  });
});
