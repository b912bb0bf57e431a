import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { heal, startOf, UndoLog } from '../../../chaos/undo/undo.ts';
import { projectDirectory, temporaryDirectory } from '../../support/lab-processes.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let undo: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  temporary = temporaryDirectory();
  undo = join(temporary.path, 'undo');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  temporary[Symbol.dispose]();
});

/** A process that does nothing, and the promise of how it ended. */
async function sleeper(command = 'sleep', args = ['60']) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `${code}`)));
  await new Promise((resolve) => child.once('spawn', resolve));
  return { pid: child.pid as number, ended, child };
}

/** What a runner that is dead has noted. */
function noteOfDeadRunner(...entries: readonly object[]): string {
  mkdirSync(undo, { recursive: true });
  const path = join(undo, '999999999-1.ndjson');
  const runner = { kind: 'process', name: 'runner', pid: 999_999_999, startedAt: '1' };
  writeFileSync(path, [runner, ...entries].map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  return path;
}

const processEntry = (pid: number, startedAt = startOf(pid) ?? '') => ({
  kind: 'process',
  name: 'redis',
  pid,
  startedAt,
});

describe('heal', () => {
  it('ends what a killed runner left running, and removes its directory', async () => {
    const data = join(temporary.path, 'data');
    const script = `
      import { spawn } from 'node:child_process';
      import { mkdirSync, writeFileSync } from 'node:fs';
      import { UndoLog } from './chaos/undo/undo.ts';
      const undo = new UndoLog(${JSON.stringify(undo)});
      mkdirSync(${JSON.stringify(data)});
      writeFileSync(${JSON.stringify(join(data, 'dump.rdb'))}, 'x');
      undo.directory(${JSON.stringify(data)});
      const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
      undo.process('redis', child.pid);
      process.stdout.write(String(child.pid), () => process.kill(process.pid, 'SIGKILL'));
    `;
    const runner = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: projectDirectory });
    let said = '';
    runner.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const signal = await new Promise((resolve) => runner.once('close', (_code, by) => resolve(by)));
    const pid = Number(said);
    expect(signal).toBe('SIGKILL');
    expect(startOf(pid)).toBeDefined();

    expect(await heal(undo)).toEqual([`Ended redis (process ${pid}).`, `Removed the directory ${data}.`]);
    expect(startOf(pid)).toBeUndefined();
    expect(existsSync(data)).toBe(false);
    expect(readdirSync(undo)).toEqual([]);
  });

  it('says and does nothing when repeated', async () => {
    const { pid, ended } = await sleeper();
    noteOfDeadRunner(processEntry(pid));
    expect(await heal(undo)).toEqual([`Ended redis (process ${pid}).`]);
    expect(await ended).toBe('SIGTERM');
    expect(await heal(undo)).toEqual([]);
  });

  it('has nothing to do where nothing was ever run', async () => {
    expect(await heal(join(temporary.path, 'never'))).toEqual([]);
  });

  it('leaves a process alone that got the id of a dead one', async () => {
    const { pid } = await sleeper();
    const path = noteOfDeadRunner(processEntry(pid, '1'));
    expect(await heal(undo)).toEqual([]);
    expect(startOf(pid)).toBeDefined();
    expect(existsSync(path)).toBe(false);
  });

  it('leaves a process alone whose start was never known', async () => {
    const { pid } = await sleeper();
    noteOfDeadRunner(processEntry(pid, ''));
    expect(await heal(undo)).toEqual([]);
    expect(startOf(pid)).toBeDefined();
  });

  it('leaves the run of a living runner alone, and says so', async () => {
    const { pid } = await sleeper();
    const log = new UndoLog(undo); // of this process, which lives
    log.process('redis', pid);
    expect(await heal(undo)).toEqual([`A run is in progress (process ${process.pid}); left alone.`]);
    expect(startOf(pid)).toBeDefined();
    expect(readdirSync(undo)).toHaveLength(1);
    log.done();
    expect(readdirSync(undo)).toEqual([]);
  });

  it('ends a frozen process', async () => {
    const { pid, ended, child } = await sleeper();
    child.kill('SIGSTOP');
    noteOfDeadRunner(processEntry(pid));
    expect(await heal(undo)).toEqual([`Ended redis (process ${pid}).`]);
    expect(await ended).toBe('SIGTERM');
  });

  it('ends a process that does not heed SIGTERM', async () => {
    const script = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); process.stdout.write("ready")';
    const { pid, ended, child } = await sleeper(process.execPath, ['-e', script]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    noteOfDeadRunner(processEntry(pid));
    expect(await heal(undo)).toEqual([`Ended redis (process ${pid}).`]);
    expect(await ended).toBe('SIGKILL');
  });

  it('undoes in the opposite order: the directory after the process that uses it', async () => {
    const { pid } = await sleeper();
    const data = join(temporary.path, 'data');
    mkdirSync(data);
    noteOfDeadRunner({ kind: 'directory', path: data }, processEntry(pid));
    expect(await heal(undo)).toEqual([`Ended redis (process ${pid}).`, `Removed the directory ${data}.`]);
  });

  it('removes a file that the run put into somebody else’s directory, and leaves the directory', async () => {
    const file = join(temporary.path, 'target.json');
    writeFileSync(file, '[]');
    noteOfDeadRunner({ kind: 'file', path: file });
    expect(await heal(undo)).toEqual([`Removed the file ${file}.`]);
    expect(readdirSync(temporary.path)).toEqual(['undo']);
    noteOfDeadRunner({ kind: 'file', path: file });
    expect(await heal(undo)).toEqual([]);
  });

  it('copes with a last line that was cut off', async () => {
    const { pid } = await sleeper();
    appendFileSync(noteOfDeadRunner(processEntry(pid)), '{"kind":"proc');
    expect(await heal(undo)).toEqual([`Ended redis (process ${pid}).`]);
  });
});

describe('the undo log', () => {
  it('begins with the runner itself and has each line in the file at once', () => {
    const log = new UndoLog(undo);
    log.directory('/tmp/somewhere');
    const [file] = readdirSync(undo);
    const lines = readFileSync(join(undo, file ?? ''), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { kind: 'process', name: 'runner', pid: process.pid, startedAt: startOf(process.pid) },
      { kind: 'directory', path: '/tmp/somewhere' },
    ]);
  });

  it('tells the start of a process that exists, always the same, and none of one that does not', () => {
    expect(startOf(process.pid)).toMatch(/\S/);
    expect(startOf(process.pid)).toBe(startOf(process.pid));
    expect(startOf(999_999_999)).toBeUndefined();
  });
});
