// Undo records as dead runners leave them, and processes that are the lab's or only look like it.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from '../../chaos/host/process-identity.ts';
import { temporaryDirectory } from './lab-processes.ts';

export const deadPid = 999_999_999;
/** The name of a dead runner's record. */
export const deadRecord = `${deadPid}-0123456789ab`;
export const deadRunner = { kind: 'runner', pid: deadPid, startedAt: '1' };

/** Writes it: objects as lines, text as it is. Returns its path. */
export function writeRecord(
  directory: string,
  lines: readonly (object | string)[],
  name = `${deadRecord}.ndjson`,
): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  const text = lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)).join('');
  writeFileSync(path, text);
  return path;
}

export const processEntry = (pid: number, startedAt = startOf(pid) ?? '') => ({
  kind: 'process',
  name: 'redis',
  pid,
  startedAt,
});

export class Sleepers implements Disposable {
  readonly #children: ChildProcess[] = [];

  /** A process that does nothing; it holds `held` open if there is one, as the lab's processes hold their record. */
  async start(held?: string, command = 'sleep', args = ['60']) {
    const fd = held === undefined ? 'ignore' : openSync(held, 'a');
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore', fd] });
    if (fd !== 'ignore') closeSync(fd);
    this.#children.push(child);
    const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `${code}`)));
    await new Promise((resolve) => child.once('spawn', resolve));
    return { pid: child.pid as number, ended, child };
  }

  [Symbol.dispose](): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }
}

/** Where heal looks in place of this machine's own places, and what it is to end there. All gone when disposed of. */
export class UndoPlaces implements Disposable {
  readonly temporary: string;
  readonly records: string;
  readonly targets: string;
  readonly sleepers = new Sleepers();
  readonly #directory = temporaryDirectory();

  constructor() {
    this.temporary = this.#directory.path;
    this.records = join(this.temporary, 'undo');
    this.targets = join(this.temporary, 'targets');
  }

  [Symbol.dispose](): void {
    this.sleepers[Symbol.dispose]();
    this.#directory[Symbol.dispose]();
  }
}
