// Undoes one entry of a record, if what it names is provably the lab's. Each kind has its own proof:
//
//   process     it started at that moment, and holds the record open, which only the lab's own children do; with it ends
//               what it has started itself: it leads a group of its own
//   directory   it lies in the system's directory for temporary files, and the record's name is in its own
//   namespace   the record's number is its name's
//   file        it lies where a stack's Prometheus looks for the lab, and names the lab
//   labelled    by the lab's own label
//   container   it is the Redis of a Compose stack; it is only ever started, or restarted with the settings that it had
//   toxiproxy   on loopback, and only proxies by the lab's names

import { lstatSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { sleep, until } from '../clock.ts';
import { labInstance } from '../drivers/lab-target.ts';
import { LabError } from '../errors.ts';
import { leftOfNamespace, removeNamespace } from '../host/namespace.ts';
import { holdsOpen, isSame, startedFor, startOf } from '../host/process-identity.ts';
import { ToxiproxyApi } from '../host/toxiproxy.ts';
import type { UndoEntry } from '../host/undo-entry.ts';
import { namespaceNameOf, temporaryPrefix } from '../host/undo-log.ts';
import { shown, type UndoRecord } from './record.ts';

/** Where the lab makes what it makes. */
export interface Places {
  /** Its undo records. */
  readonly records: string;
  /** The system's, for temporary files. */
  readonly temporary: string;
  /** Where a stack's Prometheus looks for targets. */
  readonly targets: string;
}

type Entry<K extends UndoEntry['kind']> = Extract<UndoEntry, { kind: K }>;

/** Nobody waits for what they would still answer. */
const stopMsMax = 1000;
/** As `writeTarget` writes it. */
const targetFile = z.tuple([
  z.strictObject({ targets: z.array(z.string()), labels: z.strictObject({ instance: z.literal(labInstance) }) }),
]);

/** Returns one line for each thing that it did. Throws when something is left that it could not put right, or may not. */
export async function undo(entry: UndoEntry, record: UndoRecord, places: Places): Promise<string[]> {
  switch (entry.kind) {
    case 'process':
      return undoProcess(entry, record);
    case 'directory':
      return undoDirectory(entry, record, places);
    case 'namespace':
      return undoNamespace(entry, record);
    case 'file':
      return undoFile(entry, places);
    case 'labelled': {
      const { findEngine, removeLabelled } = await import('../host/engine.ts');
      return (await removeLabelled(await findEngine(), entry.label)).map((what) => `Removed the ${shown(what)}.`);
    }
    case 'container': {
      const { findEngine } = await import('../host/engine.ts');
      const { putRight } = await import('../host/stack-redis.ts');
      const change = await putRight(await findEngine(), entry);
      return change ? [`Started ${entry.name} again (${change}).`] : [];
    }
    case 'toxiproxy':
      return undoToxiproxy(entry);
    default:
      return entry satisfies never;
  }
}

async function undoProcess({ name, pid, startedAt }: Entry<'process'>, { path }: UndoRecord): Promise<string[]> {
  if (!isSame(pid, startedAt)) return [];
  const isOurs = holdsOpen(pid, path);
  if (isOurs !== true) {
    const why = isOurs === false ? 'does not hold the record open' : 'cannot be looked into';
    throw new LabError(`process ${pid} is not known for the lab's: it ${why}; left alone`);
  }
  await end(pid, startedAt);
  return [`Ended ${shown(name)} (process ${pid}).`];
}

/** Of processes that are the run's and not noted: the runner died before that, or a daemon has left the one that started it. */
export async function undoUnnoted({ path, id }: UndoRecord): Promise<string[]> {
  const pids = startedFor(path, id).filter((pid) => pid !== process.pid);
  await Promise.all(pids.map((pid) => end(pid, startOf(pid) ?? '')));
  return pids.map((pid) => `Ended process ${pid}.`);
}

async function end(pid: number, startedAt: string): Promise<void> {
  signal(pid, 'SIGCONT'); // a frozen process does not hear SIGTERM
  signal(pid, 'SIGTERM');
  const ended = await until(stopMsMax, 50, async () => (isSame(pid, startedAt) ? undefined : true));
  signal(-pid, 'SIGKILL');
  if (ended) return;
  signal(pid, 'SIGKILL');
  await sleep(50);
}

/** It may have ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function undoDirectory({ path }: Entry<'directory'>, { id }: UndoRecord, { temporary }: Places): string[] {
  const is = lstatSync(path, { throwIfNoEntry: false });
  if (!is) return [];
  const prefix = temporaryPrefix(id);
  if (!is.isDirectory() || !liesIn(temporary, path) || !new RegExp(`^${prefix}\\d+$`).test(basename(path)))
    throw new LabError(
      `${shown(path)} is not the run's: allowed is a directory ${prefix}N in ${temporary}; left alone`,
    );
  rmSync(path, { recursive: true, force: true });
  return [`Removed the directory ${path}.`];
}

async function undoNamespace({ name }: Entry<'namespace'>, { id }: UndoRecord): Promise<string[]> {
  const left = leftOfNamespace(name);
  if (left.length === 0) return [];
  const allowed = namespaceNameOf(id);
  if (name !== allowed)
    throw new LabError(`the network namespace ${name} is not the run's: allowed is ${allowed}; left alone`);
  await removeNamespace(name);
  return left.map((it) => `Removed ${it}.`);
}

function undoFile({ path }: Entry<'file'>, { targets }: Places): string[] {
  const is = lstatSync(path, { throwIfNoEntry: false });
  if (!is) return [];
  if (
    !is.isFile() ||
    !liesIn(targets, path) ||
    !/^[0-9a-f]{16}\.json$/.test(basename(path)) ||
    !isTarget(path, is.size)
  )
    throw new LabError(
      `${shown(path)} is not the run's: allowed is a target named NUMBER.json in ${targets}; left alone`,
    );
  rmSync(path, { force: true });
  return [`Removed the file ${path}.`];
}

function isTarget(path: string, bytes: number): boolean {
  if (bytes === 0) return true; // the runner died as it began to write
  try {
    return bytes < 10_000 && targetFile.safeParse(JSON.parse(readFileSync(path, 'utf8'))).success;
  } catch {
    return false;
  }
}

/** Whether it stands in this directory itself, whatever links lead there. */
function liesIn(directory: string, path: string): boolean {
  try {
    return realpathSync(dirname(path)) === realpathSync(directory);
  } catch {
    return false;
  }
}

/** Nothing to do when it does not answer: its toxics ended with it. */
async function undoToxiproxy({ url, links, proxies }: Entry<'toxiproxy'>): Promise<string[]> {
  const toxiproxy = new ToxiproxyApi(url);
  const there = await toxiproxy.proxies().catch((): string[] => []);
  const done: string[] = [];
  for (const name of links.filter((link) => there.includes(link))) {
    const toxics = await toxiproxy.toxicsOf(name);
    await toxiproxy.removeToxics(name);
    if (!(await toxiproxy.isEnabled(name))) {
      await toxiproxy.setEnabled(name, true);
      done.push(`Enabled ${name} again.`);
    }
    if (toxics.length > 0) done.push(`Took ${shown(toxics.join(', '))} off ${name}.`);
  }
  for (const name of proxies.filter((proxy) => there.includes(proxy))) {
    await toxiproxy.removeProxy(name);
    done.push(`Removed the proxy ${name}.`);
  }
  return done;
}
