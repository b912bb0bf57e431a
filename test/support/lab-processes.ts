// Starts the lab's commands as a person would, and knows afterwards what they left running.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from '../../chaos/host/process-identity.ts';
import type { UndoEntry } from '../../chaos/host/undo-entry.ts';
import { undoDirectory } from '../../chaos/host/undo-log.ts';
import { type Child, startChild } from './process.ts';

export const projectDirectory = join(import.meta.dirname, '..', '..');

/** A directory of its own, removed when disposed of. */
export function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'failopen-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class LabCommand implements AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly #child: Child;
  readonly #noted = new Map<string, UndoEntry>();

  /** `node` with these arguments, in the project's directory. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, command = process.execPath) {
    this.#child = startChild(command, args, { cwd: projectDirectory, env: { ...plainEnvironment(), ...env } });
    this.pid = this.#child.pid;
    const watching = setInterval(() => this.#look(), 50);
    this.ended = this.#child.ended.then(({ code, signal }) => {
      clearInterval(watching);
      return { status: code, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  get stdout(): string {
    return this.#child.stdout();
  }

  get stderr(): string {
    return this.#child.stderr();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.process.kill(signal);
  }

  /** As the reader of a pipe that goes away: what it writes from now on nobody takes. */
  closeOutput(): void {
    this.#child.process.stdout?.destroy();
    this.#child.process.stderr?.destroy();
  }

  /** Waits until its standard error matches; throws when it ends before. */
  async says(pattern: RegExp, ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    while (!pattern.test(this.stderr)) {
      if (this.#child.hasEnded() || performance.now() > endMs)
        throw new Error(`${pattern} was not said:\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** All that it noted to be undone, while it ran. */
  get noted(): readonly UndoEntry[] {
    this.#look();
    return [...this.#noted.values()];
  }

  /** Of the processes, directories and files that it started or made: what is still there. */
  get left(): readonly UndoEntry[] {
    return stillThere(this.noted);
  }

  /** Its files in the undo directory. */
  get undoFiles(): readonly string[] {
    return undoFilesOf(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    for (const entry of this.left) if (entry.kind === 'process') process.kill(entry.pid, 'SIGKILL');
  }

  #look(): void {
    for (const entry of notedBy(this.pid)) this.#noted.set(JSON.stringify(entry), entry);
  }
}

function undoFilesOf(pid: number): string[] {
  return existsSync(undoDirectory) ? readdirSync(undoDirectory).filter((file) => file.startsWith(`${pid}-`)) : [];
}

/** What this process has noted to be undone, now. */
export function notedBy(pid: number): UndoEntry[] {
  const lines = undoFilesOf(pid).flatMap((file) => readIfThere(join(undoDirectory, file)).split('\n').slice(0, -1));
  return lines.map((line) => JSON.parse(line) as UndoEntry);
}

/** Of processes, directories and files: those that are still there. */
export function stillThere(entries: readonly UndoEntry[]): UndoEntry[] {
  return entries.filter((entry) => {
    if (entry.kind === 'directory' || entry.kind === 'file') return existsSync(entry.path);
    return entry.kind === 'process' && startOf(entry.pid) === entry.startedAt;
  });
}

/** Runs `npm run …` or another command to its end. */
export async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, command?: string) {
  await using started = new LabCommand(args, env, command);
  return { ...(await started.ended), pid: started.pid, noted: started.noted, left: started.left };
}

/** The environment without what vitest or a caller's own settings put there. */
function plainEnvironment(): Record<string, string> {
  const bin = join(projectDirectory, 'node_modules', '.bin');
  return { PATH: `${bin}:${process.env.PATH ?? ''}`, HOME: process.env.HOME ?? '', NO_COLOR: '1' };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
