// The commands where they have nothing to run, or cannot. Nothing here takes a scenario as far as its fault. What they make
// of each option is tested without a process: ../scenarios/run-options.test.ts and its neighbours.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
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

  it('runs nothing when the native driver is asked for and an image is named, which it would leave untested', async () => {
    expect(await refused(['partition'], { LIMITER_IMAGE: 'you/limiter:1' })).toEqual({
      status: 254,
      stderr: 'The native driver cannot work: LIMITER_IMAGE names an image, which only the containers driver runs\n',
    });
  });
});

describe('the list', () => {
  it('names every scenario with its hypothesis, without arguments', async () => {
    const { status, stdout, stderr } = await run(['scenarios/main.ts']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const { name, hypothesis } of scenarios) expect(stdout).toMatch(new RegExp(`^ +${name} +${hypothesis}$`, 'm'));
  });

  it('is one JSON array with --json', async () => {
    const { status, stdout } = await run(['scenarios/main.ts', '--list', '--json']);
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
    ['the system says that it is not there', '/proc/none/runs', 'ENOENT'],
    ['its name is too long', 'r'.repeat(300), 'ENAMETOOLONG'],
    ['a link leads to itself', 'loop/runs', 'ELOOP'],
    ['latest is no link', 'taken', 'latest is no link, so it is left alone; move it away'],
  ])('is refused when %s, and nothing is started', async (_why, path, reason) => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'file'), '');
    symlinkSync('loop', join(directory.path, 'loop'));
    mkdirSync(join(directory.path, 'taken', 'latest'), { recursive: true });
    const out = path.startsWith('/') ? path : join(directory.path, path);
    const { status, stderr, noted } = await scenario(['partition', '--out', out]);
    expect({ status, stderr, noted }).toEqual({
      status: 254,
      stderr: expect.stringMatching(`^[^\n]*${reason}[^\n]*\n$`),
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
  it('of a run that is not there is refused, and nothing is started', async () => {
    const { status, stderr } = await refused(['storm', '--replay', 'runs/nowhere']);
    expect(status).toBe(254);
    expect(stderr).toMatch(/^There is no recorded run runs\/nowhere/);
  });
});

describe('an arena', () => {
  it('of a limiter that does not exist is refused, and leaves nothing', async () => {
    using directory = temporaryDirectory();
    const out = join(directory.path, 'runs');
    const { status, stdout, stderr, noted } = await run(['scenarios/arena.ts', '--out', out, '--targets', 'nobody']);
    expect({ status, stdout, noted, isOut: existsSync(out) }).toEqual({
      status: 254,
      stdout: '',
      noted: [],
      isOut: false,
    });
    expect(stderr).toMatch(/^There is no target "nobody"\. Targets: failopen, /);
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
  ['dashboards', 'grafana/main.ts'],
  ['pictures', 'grafana/pictures.ts'],
  ['cost-pictures', 'test/docs/draw-costs.ts'],
  ['report-picture', 'test/docs/picture.ts'],
  ['docs', 'test/docs/main.ts'],
])('npm run %s', (name, program) => {
  it('says its usage when it is asked, and with an option that it has not', async () => {
    const usage = new RegExp(`^npm run ${name}`, 'm');
    const help = await run([program, '--help']);
    expect(help).toMatchObject({ status: 0, stdout: expect.stringMatching(usage), stderr: '', noted: [] });
    for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const wrong = await run([program, '--bogus']);
    expect(wrong).toMatchObject({ status: 254, stdout: '', noted: [], stderr: expect.stringMatching(usage) });
    expect(wrong.stderr).toMatch(/^Unknown option '--bogus'\. Options: .*--help\.$/m);
  });
});

it('npm run sim calls a fault by the number by which it was asked for', async () => {
  const small = ['scenarios/sim.ts', '--seed', '7', '--instances', '2', '--minutes', '0.3'];
  const faultsOf = async (args: readonly string[]) => {
    const { stdout } = await run([...small, ...args]);
    return stdout.split('\n').filter((line) => line.startsWith('fault '));
  };
  const all = await faultsOf([]);
  expect(all.length).toBeGreaterThan(1);
  expect(await faultsOf(['--faults', '1'])).toEqual([all[1]]);
});
