// Output that nobody takes: a pipe whose reader has gone, a terminal that was closed, a full disk. Whatever a command
// does, it does all the same, and its exit status tells of that.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { LabCommand, notedBy, projectDirectory, stillThere, temporaryDirectory } from '../../support/lab-processes.ts';
import { builtRun, specs } from '../../support/runs.ts';
import { processesOf, scenarioCommand } from '../../support/scenario-runs.ts';
import { until } from '../../support/until.ts';

const minuteMs = 60_000;
const list = ['scenarios/main.ts', '--list', '--json'];

/** What the run in this directory has recorded so far. */
function recorded(out: string): string {
  const [name] = readdirSync(out).filter((it) => it !== 'latest');
  const events = join(out, name ?? '', 'events.ndjson');
  return existsSync(events) ? readFileSync(events, 'utf8') : '';
}
const isBroken = (out: string) => recorded(out).includes('"phase":"fault"');

describe('a pipe whose reader goes away', () => {
  it.each([
    ['the list', list, 0],
    ['a mistake in the arguments', ['scenarios/main.ts', 'earthquake'], 254],
    ['a program that is missing', ['scenarios/main.ts', 'partition', '--driver', 'native'], 255],
    ['a report of no run', ['chaos/report/main.ts', 'nothing'], 254],
    ['setup', ['chaos/setup/main.ts'], 0],
    ['heal', ['chaos/undo/heal.ts'], 0],
    ['a console that cannot listen', ['chaos/console/main.ts', '--host', '192.0.2.1'], 255],
    ['a benchmark of nothing', ['test/bench/main.ts', '--rounds', '0'], 254],
  ])('does not change the exit status of %s', async (what, args, status) => {
    await using command = new LabCommand(
      args,
      what === 'a program that is missing' ? { REDIS_SERVER_BIN: '/nonexistent' } : {},
    );
    command.closeOutput();
    expect((await command.ended).status).toBe(status);
  });

  it('does not keep a report from being written', async () => {
    using directory = temporaryDirectory();
    const runs = (['pass', 'fail'] as const).map((verdict) => builtRun(directory.path, verdict, specs[verdict]));
    await using command = new LabCommand(['chaos/report/main.ts', ...runs]);
    command.closeOutput();
    expect((await command.ended).status).toBe(0);
    for (const run of runs) expect(readdirSync(run)).toContain('report.html');
  });

  it('does not end a console', async () => {
    using directory = temporaryDirectory();
    await using lab = new LabCommand(['chaos/console/main.ts', '--port', '0', '--out', directory.path]);
    const url = await until('the address', () => /console: (\S+)\n/.exec(lab.stdout)?.[1]);
    lab.closeOutput();
    expect((await fetch(url)).status).toBe(200);
    lab.kill('SIGTERM');
    expect((await lab.ended).status).toBe(0);
  });

  it(
    'does not end a run in mid-fault, which still heals and ends all that it started when it is interrupted',
    async () => {
      using out = temporaryDirectory();
      await using runner = scenarioCommand('partition', { driver: 'native', seed: 1, out: out.path });
      await runner.says(/^partition: /m, minuteMs);
      runner.closeOutput();
      await until('the fault', () => isBroken(out.path));
      const noted = processesOf(runner.noted);
      runner.kill('SIGHUP');
      expect((await runner.ended).status).toBe(129);
      expect({ some: noted.length > 6, left: runner.left, undo: runner.undoFiles }).toEqual({
        some: true,
        left: [],
        undo: [],
      });
      expect(recorded(out.path)).toContain('"action":"heal"');
    },
    2 * minuteMs,
  );
});

describe('a disk that is full', () => {
  it.runIf(process.platform === 'linux')('is told on standard error, and is no success', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, list, { cwd: projectDirectory, stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr += text;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect({ status, stderr }).toEqual({
      status: 255,
      stderr: 'Standard output cannot be written: ENOSPC: no space left on device, write\n',
    });
  });
});

describe('a terminal that is closed', () => {
  it.runIf(process.platform === 'linux')(
    'ends a run in mid-fault, and nothing is left of it',
    async () => {
      using out = temporaryDirectory();
      const command = `exec ${process.execPath} scenarios/main.ts partition --driver native --seed 1 --out ${out.path}`;
      // script(1) holds the terminal: when it dies, the terminal is closed.
      await using terminal = new LabCommand(['-qec', command, '/dev/null'], {}, 'script');
      await until('the fault', () => isBroken(out.path));
      const pid = runnerIn(out.path);
      const noted = notedBy(pid);
      terminal.kill('SIGKILL');
      try {
        await until('the end of the runner', () => startOf(pid) === undefined);
        expect({ some: processesOf(noted).length > 6, left: stillThere(noted), undo: notedBy(pid) }).toEqual({
          some: true,
          left: [],
          undo: [],
        });
        expect(recorded(out.path)).toContain('"action":"heal"');
      } finally {
        for (const entry of stillThere(noted)) if (entry.kind === 'process') process.kill(entry.pid, 'SIGKILL');
      }
    },
    2 * minuteMs,
  );
});

/** The process that makes the run in this directory. */
function runnerIn(out: string): number {
  const runner = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const [program, main, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program === process.execPath && main === 'scenarios/main.ts' && args.includes(out);
  });
  if (runner === undefined) throw new Error(`nobody makes a run in ${out}`);
  return Number(runner);
}
