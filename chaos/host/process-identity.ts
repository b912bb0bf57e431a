// Which process a process id means: ids are given again, so the moment of the start belongs to them, and what is the lab's
// own is known by the file that it holds open, or by a variable of its environment that it has from the lab.

import { execFileSync } from 'node:child_process';
import { constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { processIds, statOf } from './process-stat.ts';

/**
 * When a process started, in a unit of the system's, with the boot that this unit counts from; undefined when there is
 * no such process, or only a zombie.
 */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
    const stat = statOf(pid);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return stat === undefined || stat.state === 'Z' ? undefined : `${stat.startedTicks} ${boot}`;
  } catch {
    return undefined;
  }
}

/** Whether it is still the one that started then; never when its start is not known. */
export function isSame(pid: number, startedAt: string): boolean {
  return startedAt !== '' && startOf(pid) === startedAt;
}

/** Whether the process holds the file open; undefined where the system does not let us know. */
export function holdsOpen(pid: number, file: string): boolean | undefined {
  try {
    if (process.platform !== 'linux') return lsof(file).includes(pid);
    const { dev, ino } = statSync(file, { bigint: true });
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const held = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
      return held !== undefined && held.dev === dev && held.ino === ino;
    });
  } catch {
    return undefined;
  }
}

/** In the environment of all that a run starts, and so of what that starts: the name of the run's record. */
export const runVariable = 'FAILOPEN_LAB_RUN';

/**
 * The ids of the processes that hold the record open to append to it, or have its name in their environment, as a daemon
 * still has that closed all else; as far as the system lets us know: none without proc(5).
 */
export function startedFor(record: string, id: string): number[] {
  if (process.platform !== 'linux') return [];
  return processIds().filter((pid) => appendsTo(pid, record) || hasInEnvironment(pid, `${runVariable}=${id}`));
}

/** The id of the process that has started it, or of the one that has taken it over since; undefined where that is not known. */
export function parentOf(pid: number): number | undefined {
  return statOf(pid)?.parent;
}

function hasInEnvironment(pid: number, assignment: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${assignment}\0`);
  } catch {
    return false; // gone meanwhile, or another user's
  }
}

/** A child of the runner has its descriptor; whoever only reads the file, as `tail` does, is nobody's child. */
function appendsTo(pid: number, file: string): boolean {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const held = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
      if (held === undefined || held.dev !== dev || held.ino !== ino) return false;
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
      return (Number.parseInt(flags, 8) & constants.O_APPEND) !== 0;
    });
  } catch {
    return false; // gone meanwhile, or another user's
  }
}

/** The ids of the processes that hold the file open. Throws where there is no lsof. */
function lsof(file: string): number[] {
  try {
    return execFileSync('lsof', ['-t', '--', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .map(Number);
  } catch (error) {
    if ((error as { status?: number }).status === 1) return []; // nobody does
    throw error;
  }
}
