// A run as it looks from outside: what its processes are by proc(5), and what it leaves in the file system, without a word
// of its own record.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { leftOfNamespace } from '../../chaos/host/namespace.ts';
import { startOf } from '../../chaos/host/process-identity.ts';
import { undoDirectory } from '../../chaos/host/undo-log.ts';
import { projectDirectory } from './lab-processes.ts';
import { type Child, startChild } from './process.ts';
import { until } from './until.ts';

const lookEveryMs = 20;
const cleanEveryMs = 100;

export class RunOutside implements Disposable {
  readonly #child: Child;
  /** Every descendant that was ever seen, with its start. */
  readonly #seen = new Map<number, string>();
  readonly #looking: NodeJS.Timeout;
  /** The numbers of its records: they, and no process id, are part of the names of its network namespaces. */
  readonly #records = new Set<string>();
  /** Files that somebody else left, perhaps under a process id that comes again. */
  readonly #before: ReadonlySet<string> = new Set(files());

  /** Runs the scenario by npm, which leads a process group of its own. */
  constructor(scenario: string, options: Readonly<Record<string, string | number>>) {
    const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
    const command = ['run', '--silent', 'scenario', scenario, '--', ...args];
    const env = { ...process.env, REDIS_TIMEOUT_MS: '50' }; // nothing is judged: on a busy machine it begins all the same
    this.#child = startChild('npm', command, { cwd: projectDirectory, detached: true, env });
    this.#looking = setInterval(() => this.#look(), lookEveryMs);
  }

  /** Waits until it says so on standard error. Throws when it ends before. */
  async says(words: RegExp): Promise<void> {
    await until(String(words), () => words.test(this.#child.stderr()) || this.#child.hasEnded());
    if (this.#child.hasEnded()) throw new Error(`${words} was not said:\n${this.#child.stderr()}`);
  }

  /** SIGKILL to the process group. Returns how many processes the run had, those of other groups included. */
  killAll(): number {
    this.#look();
    clearInterval(this.#looking);
    process.kill(-this.#child.pid, 'SIGKILL');
    return this.#seen.size;
  }

  /** Resolves with the time in ms until nothing of the run is there. Rejects when that is more than `msMax`, with what was. */
  async clean(msMax: number): Promise<number> {
    const startMs = performance.now();
    for (let left: string[] = []; ; await sleep(cleanEveryMs)) {
      const found = this.#left();
      const tookMs = performance.now() - startMs;
      if (tookMs > msMax) throw new Error(`still there after ${msMax} ms: ${[...left, ...found].join(', ')}`);
      if (found.length === 0) return tookMs;
      left = found;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
    for (const [pid, startedAt] of this.#seen) if (startOf(pid) === startedAt) process.kill(pid, 'SIGKILL');
  }

  /** The watchdog of a run by this process. */
  static watchdogOf(runner: number): number {
    const watchdog = pids().find(
      (pid) =>
        argumentsOf(pid).some((word) => word.endsWith('/watchdog-process.js')) &&
        argumentsOf(pid).includes(String(runner)),
    );
    if (watchdog === undefined) throw new Error(`the run of process ${runner} has no watchdog`);
    return watchdog;
  }

  #look(): void {
    const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
    const isOurs = (pid: number | undefined): boolean =>
      pid !== undefined && (pid === this.#child.pid || this.#seen.has(pid) || isOurs(parents.get(pid)));
    for (const pid of parents.keys()) {
      const startedAt = isOurs(pid) ? startOf(pid) : undefined;
      if (startedAt !== undefined) this.#seen.set(pid, startedAt);
    }
    for (const file of existsSync(undoDirectory) ? readdirSync(undoDirectory) : []) {
      const [, pid, record] = /^(\d+)-([0-9a-f]{12})\b/.exec(file) ?? [];
      if (record !== undefined && this.#seen.has(Number(pid))) this.#records.add(record);
    }
  }

  /** Files that have the name of a process that was seen, and such processes; else those that are given or hold such a name. */
  #left(): string[] {
    const names = new RegExp(`\\b(${[...this.#seen.keys()].join('|')})-[0-9a-f]{12}\\b`);
    const fresh = files().filter((file) => !this.#before.has(file));
    const seen = [...this.#seen].filter(([pid, startedAt]) => startOf(pid) === startedAt).map(([pid]) => pid);
    const left = [
      ...seen.map((pid) => `process ${pid} (${argumentsOf(pid).join(' ')})`),
      ...fresh.filter((file) => names.test(file) || file === '.heal'),
      ...[...this.#records].flatMap((record) => leftOfNamespace(`failopen-${record}`)),
    ];
    if (left.length > 0) return left; // to look into every process takes time from those that put things right
    const others = pids().filter((pid) => wordsOf(pid).some((word) => names.test(word)) && startOf(pid) !== undefined);
    return others.map((pid) => `process ${pid} (${argumentsOf(pid).join(' ')})`);
  }
}

function files(): string[] {
  return [undoDirectory, tmpdir()].flatMap((directory) => (existsSync(directory) ? readdirSync(directory) : []));
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Undefined when it has ended. */
function parentOf(pid: number): number | undefined {
  const fields = textOf(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields[1] === undefined ? undefined : Number(fields[1]);
}

function argumentsOf(pid: number): string[] {
  return textOf(pid, 'cmdline').split('\0').filter(Boolean);
}

/** Its arguments, its variables, and the names of the files that it holds open. */
function wordsOf(pid: number): string[] {
  return [...argumentsOf(pid), ...textOf(pid, 'environ').split('\0'), ...heldBy(pid)];
}

function textOf(pid: number, file: 'stat' | 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function heldBy(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}
