// What must be put right if the runner dies: a file that lists all that a run started, made or broke, while it is so.
//
// The record is written at once when something comes to be and removed when all of it is gone, so that after `kill -9`
// of the runner `npm run heal` finds what is left. A process is known by its id and the moment it started: an id that
// the system has given to somebody else since is left alone.

import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, until } from '../clock.ts';
import { LabError } from '../errors.ts';
import type { Label } from '../host/engine.ts';
import { ToxiproxyApi } from '../host/toxiproxy.ts';

export type UndoEntry =
  | { readonly kind: 'process'; readonly name: string; readonly pid: number; readonly startedAt: string }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  /** Containers and networks of ours: all that bear the label. */
  | { readonly kind: 'labelled'; readonly label: Label }
  /** A container that is not ours and that we break: it must run. */
  | { readonly kind: 'container'; readonly name: string; readonly id: string }
  /** A Toxiproxy that is not ours: its `links` get toxics, and the `proxies` are our own. */
  | {
      readonly kind: 'toxiproxy';
      readonly url: string;
      readonly links: readonly string[];
      readonly proxies: readonly string[];
    };

type ToxiproxyEntry = Extract<UndoEntry, { kind: 'toxiproxy' }>;

export const undoDirectory = join(import.meta.dirname, '..', '..', '.lab', 'undo');

export class UndoLog {
  readonly #file: string;

  constructor(directory: string = undoDirectory) {
    mkdirSync(directory, { recursive: true });
    this.#file = join(directory, `${process.pid}-${Date.now()}.ndjson`);
    this.#append({ kind: 'process', name: 'runner', pid: process.pid, startedAt: startOf(process.pid) ?? '' });
  }

  process(name: string, pid: number): void {
    this.#append({ kind: 'process', name, pid, startedAt: startOf(pid) ?? '' });
  }

  directory(path: string): void {
    this.#append({ kind: 'directory', path });
  }

  file(path: string): void {
    this.#append({ kind: 'file', path });
  }

  labelled(label: Label): void {
    this.#append({ kind: 'labelled', label });
  }

  container(name: string, id: string): void {
    this.#append({ kind: 'container', name, id });
  }

  toxiproxy(url: string, links: readonly string[], proxies: readonly string[]): void {
    this.#append({ kind: 'toxiproxy', url, links, proxies });
  }

  /** All of it is gone. */
  done(): void {
    rmSync(this.#file, { force: true });
  }

  #append(entry: UndoEntry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

/** Puts right what dead runners left. Returns one line for each thing it did or leaves alone. */
export async function heal(directory: string = undoDirectory): Promise<string[]> {
  const said: string[] = [];
  for (const file of existsSync(directory) ? readdirSync(directory) : []) {
    const path = join(directory, file);
    const [runner, ...entries] = readEntries(path);
    if (runner?.kind === 'process' && isSame(runner.pid, runner.startedAt)) {
      said.push(`A run is in progress (process ${runner.pid}); left alone.`);
      continue;
    }
    let failed = false;
    for (const entry of entries.reverse()) {
      try {
        said.push(...(await undo(entry)));
      } catch (error) {
        if (!(error instanceof LabError)) throw error;
        said.push(`${error.message}. What ${file} names is still to be put right: npm run heal`);
        failed = true;
      }
    }
    if (!failed) rmSync(path, { force: true });
  }
  return said;
}

function readEntries(path: string): UndoEntry[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as UndoEntry];
      } catch {
        return []; // the line that was being written when the runner died
      }
    });
}

async function undo(entry: UndoEntry): Promise<string[]> {
  switch (entry.kind) {
    case 'process':
      return undoProcess(entry);
    case 'directory':
      if (!existsSync(entry.path)) return [];
      rmSync(entry.path, { recursive: true, force: true });
      return [`Removed the directory ${entry.path}.`];
    case 'file':
      if (!existsSync(entry.path)) return [];
      rmSync(entry.path, { force: true });
      return [`Removed the file ${entry.path}.`];
    case 'labelled': {
      const { findEngine, removeLabelled } = await import('../host/engine.ts');
      return (await removeLabelled(await findEngine(), entry.label)).map((what) => `Removed the ${what}.`);
    }
    case 'container': {
      const { findEngine, revive } = await import('../host/engine.ts');
      return (await revive(await findEngine(), entry.id)) ? [`Started ${entry.name} again.`] : [];
    }
    case 'toxiproxy':
      return undoToxiproxy(entry);
    default:
      return entry satisfies never;
  }
}

/** Nothing to do when it does not answer: its toxics ended with it. */
async function undoToxiproxy({ url, links, proxies }: ToxiproxyEntry): Promise<string[]> {
  const toxiproxy = new ToxiproxyApi(url);
  const there = await toxiproxy.proxies().catch((): string[] => []);
  const said: string[] = [];
  for (const name of links.filter((link) => there.includes(link))) {
    const toxics = await toxiproxy.toxicsOf(name);
    await toxiproxy.removeToxics(name);
    if (toxics.length > 0) said.push(`Took ${toxics.join(', ')} off ${name}.`);
  }
  for (const name of proxies.filter((proxy) => there.includes(proxy))) {
    await toxiproxy.removeProxy(name);
    said.push(`Removed the proxy ${name}.`);
  }
  return said;
}

async function undoProcess({ name, pid, startedAt }: Extract<UndoEntry, { kind: 'process' }>): Promise<string[]> {
  if (!isSame(pid, startedAt)) return [];
  process.kill(pid, 'SIGCONT'); // a frozen process does not hear SIGTERM
  process.kill(pid, 'SIGTERM');
  const ended = await until(3000, 50, async () => (isSame(pid, startedAt) ? undefined : true));
  if (!ended) {
    process.kill(pid, 'SIGKILL');
    await sleep(50);
  }
  return [`Ended ${name} (process ${pid}).`];
}

function isSame(pid: number, startedAt: string): boolean {
  return startedAt !== '' && startOf(pid) === startedAt;
}

/** When a process started, in whatever unit the system tells it; undefined when there is none, or only a zombie. */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // proc(5): after the command in parentheses come field 3, the state, and field 22, the start in clock ticks.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
