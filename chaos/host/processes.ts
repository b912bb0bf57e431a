// A child process of the lab: started with its output in a file, awaited with a deadline, ended by its id.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { until } from '../clock.ts';
import { LabError } from '../errors.ts';
import { startOf } from './process-identity.ts';
import { membersOf } from './process-stat.ts';
import type { UndoLog } from './undo-log.ts';

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started; here when undefined. */
  readonly directory?: string | undefined;
  /** File that takes its output. */
  readonly log: string;
  readonly undo: UndoLog;
}

/** A process has ended too soon, or takes too long. */
export class NotReady extends LabError {
  readonly #what: string;
  readonly #log: string;

  constructor(what: string, log: string) {
    super(`${what}: ${tailOf(log)}`);
    this.#what = what;
    this.#log = log;
  }

  /** What happened, without its full stop. */
  get what(): string {
    return this.#what;
  }

  /** The end of its output, of at most so many lines. */
  said(count: number): string {
    return lastLines(this.#log, count).join('\n');
  }
}

/** How long a process may take to end after SIGTERM before it gets SIGKILL: longer than the service's own grace. */
const stopMsMax = 11_000;
/** And what a killed one has started, to be gone. */
const groupGoneMsMax = 2000;

export class LabProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
  /** How it ended; undefined while it runs. */
  end: string | undefined;
  readonly #log: string;
  readonly #child: ChildProcess;
  #stopping: Promise<void> | undefined;

  private constructor(options: ProcessOptions, child: ChildProcess, pid: number) {
    this.name = options.name;
    this.pid = pid;
    this.#log = options.log;
    this.#child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.end = signal ? `was ended by ${signal}` : `exited with status ${code}`;
        resolve(this.end);
      });
    });
  }

  static async start(options: ProcessOptions): Promise<LabProcess> {
    const fd = openSync(options.log, 'a');
    const child = spawn(options.command, options.args, {
      env: { PATH: process.env.PATH ?? '', ...options.env, ...options.undo.environment },
      cwd: options.directory,
      stdio: ['ignore', fd, fd, options.undo.fd], // the last: by it heal knows the process for the lab's
      detached: true, // a Ctrl-C at the terminal reaches the runner alone, which then ends things in order
    });
    closeSync(fd);
    child.unref(); // whoever started it ends it; it must not keep a runner alive that failed to
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new LabError(`${options.name} cannot be started: ${error.message}`)));
    });
    const pid = child.pid as number;
    options.undo.process(options.name, pid);
    return new LabProcess(options, child, pid);
  }

  /** Waits until `ask` gives an answer. Throws when it does not within `ms`, or the process ends first. */
  async ready<T>(ms: number, ask: () => Promise<T | undefined>): Promise<T> {
    let answer: T | undefined;
    const ready = until(ms, 20, async () => {
      answer = await ask().catch(() => undefined);
      return answer ?? this.end;
    });
    await ready;
    if (this.end !== undefined) throw new NotReady(`${this.name} ${this.end}`, this.#log);
    if (answer === undefined) throw new NotReady(`${this.name} was not ready within ${ms / 1000} s`, this.#log);
    return answer;
  }

  /** SIGTERM is for it alone, which ends in order. Any other signal is for all that it started as well: it leads a group of its own. */
  kill(signal: NodeJS.Signals): void {
    if (this.end !== undefined) return;
    if (signal === 'SIGTERM') this.#child.kill(signal);
    else this.#signalGroup(signal);
  }

  /** Resolves when it has ended and, after a SIGKILL, all that it started. */
  async gone(): Promise<void> {
    await this.exited;
    await until(groupGoneMsMax, 5, async () => (this.#lives() ? undefined : true));
  }

  /** Safe to repeat. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.kill('SIGCONT'); // a frozen process does not hear SIGTERM
    this.kill('SIGTERM');
    const force = setTimeout(() => this.kill('SIGKILL'), stopMsMax);
    await this.exited;
    clearTimeout(force);
    this.#signalGroup('SIGKILL'); // what it started itself and left behind
  }

  /** Does nothing where none of it is left. */
  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {}
  }

  /** Whether any process of the group does: one whose end nobody takes note of is none. */
  #lives(): boolean {
    try {
      process.kill(-this.pid, 0); // costs nothing where it is the only one
      return membersOf(this.pid).some((pid) => startOf(pid) !== undefined);
    } catch {
      return false;
    }
  }

  /** The end of its output, on one line. */
  tail(): string {
    return tailOf(this.#log);
  }
}

/** The end of a part's output, on one line. */
export function tailOf(log: string): string {
  return lastLines(log, 3).join(' / ').slice(-500);
}

/** A part may say gigabytes: its last lines are looked for in so much of its output, and of a long one this is shown. */
const endBytes = 1 << 16;
const lineMax = 500;

/** At most so many. */
function lastLines(log: string, count: number): string[] {
  const nothing = ['it said nothing'];
  try {
    const said = endOf(log).trim();
    if (said === '') return nothing;
    const lines = said.split('\n').slice(-count);
    return lines.map((line) => (line.length > lineMax ? `${line.slice(0, lineMax)}…` : line));
  } catch {
    return nothing;
  }
}

function endOf(log: string): string {
  const fd = openSync(log, 'r');
  try {
    const end = Buffer.alloc(endBytes);
    const read = readSync(fd, end, 0, endBytes, Math.max(0, fstatSync(fd).size - endBytes));
    return end.toString('utf8', 0, read);
  } finally {
    closeSync(fd);
  }
}
