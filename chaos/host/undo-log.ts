// What must be put right if the runner dies: a record of all that a run started, made or broke, while it is so.
//
// A line is written at once when something comes to be, and the record is removed when all of it is gone, so that after
// `kill -9` of the runner its watchdog, or `npm run heal`, finds what is left. The lab's processes hold the record open,
// which nobody else does: by this they are known for the lab's, and by the moment they started for the ones that the
// record means.

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../clock.ts';
import { LabError } from '../errors.ts';
import type { Label } from './engine.ts';
import { leftOf } from './left-behind.ts';
import { parentOf, runVariable, startedFor, startOf } from './process-identity.ts';
import type { RunnerLine, UndoEntry } from './undo-entry.ts';

export const undoDirectory: string = join(import.meta.dirname, '..', '..', '.lab', 'undo');

/** The names of records, without `.ndjson`: the runner's process id, and a number that is never used twice. */
export const recordId: RegExp = /^(\d{1,10})-[0-9a-f]{12}$/;

/** How the name of a run's temporary directory begins. */
export function temporaryPrefix(id: string): string {
  return `failopen-${id}-`;
}

/** What a run's network namespace is called. */
export function namespaceNameOf(id: string): string {
  return id.replace(/^\d+/, 'failopen');
}

/** What was sent SIGKILL at the last moment is gone by then. */
const endMsMax = 1000;

export class UndoLog {
  /** The record, open: every process of the lab gets it. */
  readonly fd: number;
  readonly #id: string;
  readonly #file: string;
  readonly #entries: UndoEntry[] = [];
  #directories = 0;

  constructor(directory: string = undoDirectory) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    seeToItThatOwn(directory);
    this.#id = `${process.pid}-${randomBytes(6).toString('hex')}`;
    this.#file = join(directory, `${this.#id}.ndjson`);
    this.fd = openSync(this.#file, 'ax', 0o600);
    sync(directory);
    this.#write({ kind: 'runner', pid: process.pid, startedAt: startOf(process.pid) ?? '' });
  }

  /** What every process of the lab gets in its environment. */
  get environment(): Readonly<Record<string, string>> {
    return { [runVariable]: this.#id };
  }

  /** A child that was given `fd`. */
  process(name: string, pid: number): void {
    this.#append({ kind: 'process', name, pid, startedAt: startOf(pid) ?? '' });
  }

  /** Makes a directory of the run's own, and returns its path. */
  temporaryDirectory(): string {
    const path = join(realpathSync(tmpdir()), `${temporaryPrefix(this.#id)}${++this.#directories}`);
    this.#append({ kind: 'directory', path });
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** The name of the run's network namespace, which is not there yet. */
  namespace(): string {
    const name = namespaceNameOf(this.#id);
    this.#append({ kind: 'namespace', name });
    return name;
  }

  file(path: string): void {
    this.#append({ kind: 'file', path });
  }

  labelled(label: Label): void {
    this.#append({ kind: 'labelled', label });
  }

  /** `settings`: the digest of those that it has before anything is done to it. */
  container(name: 'redis', id: string, settings: string): void {
    this.#append({ kind: 'container', name, id, settings });
  }

  toxiproxy(url: string, links: string[], proxies: string[]): void {
    this.#append({ kind: 'toxiproxy', url, links, proxies });
  }

  /**
   * Ends what has outlived the processes that started it, and removes the record. Throws when something is still there, names
   * it, and keeps the record for whoever puts it right.
   */
  async done(): Promise<void> {
    const looks = await Promise.all(this.#entries.map(leftOf));
    let strays = this.#strays();
    endDaemons(strays);
    await until(endMsMax, 20, async () => {
      if (strays.length > 0) strays = this.#strays();
      return strays.length === 0 || undefined;
    });
    closeSync(this.fd);
    const left = [...looks.flat(), ...strays.map((pid) => `process ${pid}, which the lab has started`)];
    if (left.length > 0) throw new LabError(`The run has left behind: ${left.join(', ')}. Type: npm run heal`);
    rmSync(this.#file, { force: true });
  }

  /** Processes of the run that it does not know of. */
  #strays(): number[] {
    return startedFor(this.#file, this.#id).filter((pid) => pid !== process.pid && !this.#isNoted(pid));
  }

  #isNoted(pid: number): boolean {
    return this.#entries.some((entry) => entry.kind === 'process' && entry.pid === pid);
  }

  #append(entry: UndoEntry): void {
    this.#entries.push(entry);
    this.#write(entry);
    // A process ends with the machine, and may be started while an experiment looks: it does not wait for the disk.
    if (entry.kind !== 'process') fsyncSync(this.fd);
  }

  #write(line: RunnerLine | UndoEntry): void {
    writeSync(this.fd, `${JSON.stringify(line)}\n`);
  }
}

/** What the run's processes have started, which has outlived them. Children of this process are its own to end. */
function endDaemons(strays: readonly number[]): void {
  for (const pid of strays.filter((it) => parentOf(it) !== process.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // it has ended meanwhile
  }
}

/** Without it a directory may forget a new file when the machine loses its power. */
function sync(directory: string): void {
  const fd = openSync(directory, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** Throws when the directory is a link or another user's; shuts everybody else out of it. */
export function seeToItThatOwn(directory: string): void {
  const is = lstatSync(directory);
  if (!is.isDirectory())
    throw new LabError(
      `${directory} is ${is.isSymbolicLink() ? 'a link' : 'no directory'}; a directory must stand there`,
    );
  if (process.getuid && is.uid !== process.getuid())
    throw new LabError(`${directory} belongs to another user (${is.uid}); a directory of one's own must stand there`);
  if (is.mode & 0o077) chmodSync(directory, 0o700);
}
