// The command line where it has nothing to run, or cannot. Nothing here takes a scenario as far as its fault.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../../scenarios/index.ts';
import { run, temporaryDirectory } from '../support/lab-processes.ts';

const scenario = (args: readonly string[], env: Record<string, string> = {}) =>
  run(['scenarios/main.ts', '--driver', 'native', ...args], env);

/** Runs it with an output directory of its own, which must not have come to be. */
async function refused(args: readonly string[], env: Record<string, string> = {}) {
  using directory = temporaryDirectory();
  const out = join(directory.path, 'runs');
  const { status, stdout, stderr, noted } = await scenario(['--out', out, ...args], env);
  expect({ stdout, noted, isOut: existsSync(out) }).toEqual({ stdout: '', noted: [], isOut: false });
  return { status, stderr };
}

describe('asking for what does not exist', () => {
  it('lists the scenarios when there is none of that name', async () => {
    const { status, stderr } = await refused(['earthquake']);
    expect(status).toBe(254);
    expect(stderr).toMatch(/^There is no scenario "earthquake"\.$/m);
    for (const { name, hypothesis } of scenarios) expect(stderr).toMatch(new RegExp(`^ +${name} +${hypothesis}$`, 'm'));
  });

  it('runs none when one of several does not exist', async () => {
    expect((await refused(['baseline', 'earthquake'])).status).toBe(254);
  });

  it('lists the options when there is none of that name', async () => {
    const { status, stderr } = await refused(['partition', '--sed', '1']);
    expect(status).toBe(254);
    expect(stderr).toContain("Unknown option '--sed'");
    for (const option of ['--driver', '--seed', '--rate', '--out', '--json', '--list'])
      expect(stderr).toContain(option);
  });

  it('has options of the suite for the suite alone, which names a value that is none', async () => {
    expect(await refused(['partition', '--family', 'network'])).toMatchObject({
      status: 254,
      stderr: '--family is of the suite: npm run suite.\n',
    });
    expect(await refused(['--suite', '--shard', '5/4'])).toMatchObject({
      status: 254,
      stderr: expect.stringMatching(/^--shard is "5\/4"; allowed: K\/N/),
    });
  });

  it.each(['kubernetes', 'constructor', '__proto__'])(
    'lists the drivers when there is none named %s',
    async (driver) => {
      const { status, stderr } = await refused(['partition', '--driver', driver]);
      expect({ status, stderr }).toEqual({
        status: 254,
        stderr: expect.stringMatching(new RegExp(`^There is no driver "${driver}"\\. Drivers: auto, native`)),
      });
    },
  );

  it.each([
    ['--seed', 'x'],
    ['--seed', '1.5'],
    ['--seed', ''],
    ['--seed', '2147483648'],
    ['--rate', '0'],
    ['--rate', '20001'],
    ['--rate', '1e3'],
  ])('tells what is allowed for %s when it is "%s"', async (option, value) => {
    const { status, stderr } = await refused(['partition', option, value]);
    expect({ status, stderr }).toEqual({
      status: 254,
      stderr: expect.stringMatching(
        new RegExp(`^${option} is "${value}"; allowed: a whole number from \\d+ to \\d+\\.\n$`),
      ),
    });
  });

  it('runs nothing when the native driver is asked for and an image is named, which it would leave untested', async () => {
    expect(await refused(['partition'], { LIMITER_IMAGE: 'you/limiter:1' })).toEqual({
      status: 254,
      stderr: 'The native driver cannot work: LIMITER_IMAGE names an image, which only the containers driver runs\n',
    });
  });

  it('explains a negative seed and an option without a value', async () => {
    expect((await refused(['partition', '--seed=-1'])).stderr).toMatch(/^--seed is "-1"; allowed: /);
    expect((await refused(['partition', '--seed'])).status).toBe(254);
  });
});

describe('the list', () => {
  it('names every scenario with its hypothesis, also without arguments', async () => {
    const { status, stdout, stderr } = await scenario([]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const { name, hypothesis } of scenarios) expect(stdout).toMatch(new RegExp(`^ +${name} +${hypothesis}$`, 'm'));
    expect((await scenario(['--list'])).stdout).toBe(stdout);
  });

  it('is one JSON array with --json', async () => {
    const { status, stdout } = await scenario(['--list', '--json']);
    const listed = JSON.parse(stdout) as { name: string; hypothesis: string }[];
    expect(status).toBe(0);
    expect(listed.map(({ name, hypothesis }) => ({ name, hypothesis }))).toEqual(
      scenarios.map(({ name, hypothesis }) => ({ name, hypothesis })),
    );
  });
});

describe('a program that is not there, or another one', () => {
  it.each([
    ['REDIS_SERVER_BIN', '/nonexistent', 'REDIS_SERVER_BIN is /nonexistent, which is not a program that can be run'],
    ['TOXIPROXY_SERVER_BIN', '/bin/true', '/bin/true is not toxiproxy-server: its --version says "'],
    ['PROMETHEUS_BIN', '/bin/true', '/bin/true is not prometheus: its --version says "'],
  ])('breaks the lab with one clear line: %s=%s', async (variable, path, message) => {
    using directory = temporaryDirectory();
    const { status, stdout, stderr, noted } = await scenario(['partition', '--out', directory.path], {
      [variable]: path,
    });
    const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('partition: starting'));
    expect({ status, stdout, noted, lines }).toEqual({
      status: 255,
      stdout: '',
      noted: [],
      lines: [expect.stringContaining(message)],
    });
  });
});

describe('a place to write that takes nothing', () => {
  it.each([
    ['a file is in its way', 'file/runs', 'ENOTDIR'],
    ['the system does not allow it', '/sys/runs', 'E(PERM|ACCES|ROFS)'],
  ])('breaks the lab when %s, and starts nothing', async (_why, path, code) => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'file'), '');
    const out = path.startsWith('/') ? path : join(directory.path, path);
    const { status, stderr, noted } = await scenario(['partition', '--out', out]);
    expect({ status, stderr, noted }).toEqual({
      status: 255,
      stderr: expect.stringMatching(`^${code}[^\n]*\n$`),
      noted: [],
    });
  });

  it.runIf(canMount())('breaks the lab when the disk is full in mid-run, and leaves nothing running', async () => {
    using directory = temporaryDirectory();
    const disk = join(directory.path, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      const { status, stderr, noted, left } = await scenario(['partition', '--seed', '1', '--out', disk]);
      const [last] = stderr.trim().split('\n').slice(-1);
      expect({ status, last, left }).toEqual({
        status: 255,
        last: expect.stringMatching(/^\/\S+\/events\.ndjson cannot be written: ENOSPC/),
        left: [],
      });
      const names = noted.map((entry) => (entry.kind === 'process' ? entry.name : entry.kind));
      expect(names).toEqual(expect.arrayContaining(['redis', 'toxiproxy', 'limiter-1', 'prometheus', 'directory']));
      expect(stderr).not.toContain('A defect of the lab');
      expect(readdirSync(disk)).toHaveLength(2); // the run, and latest
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

/** A disk of 64 kB needs root, and a system that lets it mount. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  using directory = temporaryDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory.path], { stdio: 'ignore' });
    execFileSync('umount', [directory.path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a storm', () => {
  it.each([
    ['no time', ['storm', '--minutes', '0'], /^--minutes is "0"; allowed: a whole number from 1 to 60\./],
    ['minutes of a scenario', ['partition', '--minutes', '2'], /^--minutes is of a storm: npm run scenario storm\./],
    ['another scenario beside it', ['storm', 'partition'], /^A storm is run by itself, and not with others\./],
    ['two things at once', ['storm', '--replay', 'a', '--shrink', 'b'], /^One of --replay, --shrink can be done/],
    ['a run that is not there', ['storm', '--replay', 'runs/nowhere'], /^There is no recorded run runs\/nowhere/],
  ])('refuses %s, and starts nothing', async (_, args, message) => {
    const { status, stderr } = await refused(args);
    expect(status).toBe(254);
    expect(stderr).toMatch(message);
  });
});

describe('an arena', () => {
  it.each([
    [
      'a limiter that does not exist',
      ['--targets', 'failopen,nobody'],
      /^There is no target "nobody"\. Targets: failopen, /,
    ],
    [
      'a scenario that does not exist',
      ['--scenarios', 'earthquake'],
      /^There is no scenario "earthquake"\. Scenarios: baseline, /,
    ],
    [
      'a limiter twice',
      ['--targets', 'bare,bare'],
      /^--targets is "bare,bare"; allowed: names, each once, with commas/,
    ],
    ['no name', ['--scenarios', 'partition,'], /^--scenarios is "partition,"; allowed: names/],
    ['a rate of 0', ['--rate', '0'], /^--rate is "0"; allowed: a whole number from 1 to 20000\./],
    ['an option that does not exist', ['--fast'], /^Unknown option '--fast'/],
  ])('refuses %s, and leaves nothing', async (_, args, message) => {
    using directory = temporaryDirectory();
    const out = join(directory.path, 'runs');
    const { status, stdout, stderr, noted } = await run(['scenarios/arena.ts', '--out', out, ...args]);
    expect({ status, stdout, noted, isOut: existsSync(out) }).toEqual({
      status: 254,
      stdout: '',
      noted: [],
      isOut: false,
    });
    expect(stderr).toMatch(message);
  });
});

describe.each([
  ['scenario', 'scenarios/main.ts'],
  ['arena', 'scenarios/arena.ts'],
  ['sim', 'scenarios/sim.ts'],
  ['report', 'chaos/report/main.ts'],
  ['console', 'chaos/console/main.ts'],
  ['setup', 'chaos/setup/main.ts'],
  ['heal', 'chaos/undo/heal.ts'],
  ['bench', 'test/bench/main.ts'],
])('npm run %s', (name, program) => {
  it('says its usage when it is asked, and with an option that it has not', async () => {
    const usage = new RegExp(`^npm run ${name}`, 'm');
    expect(await run([program, '--help'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(usage),
      stderr: '',
      noted: [],
    });
    const wrong = await run([program, '--bogus']);
    expect(wrong).toMatchObject({ status: 254, stdout: '', noted: [], stderr: expect.stringMatching(usage) });
    expect(wrong.stderr).toMatch(/^Unknown option '--bogus'\. Options: .*--help\.$/m);
  });
});
