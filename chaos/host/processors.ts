// On which processors of the machine a program runs, and how much of their time it had: of a process and of what it started
// itself, which the lab lets lead a group of its own.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { LabError } from '../errors.ts';
import { membersOf, statOf } from './process-stat.ts';

const setter = 'taskset';

/** Why no program of this machine can be kept to one processor of several; undefined when one can. */
export function noProcessorBecause(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux keeps a program to one processor';
  if (availableParallelism() < 2) return 'there is one processor alone, on which everything else runs as well';
  try {
    execFileSync(setter, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `there is no program ${setter}`;
  }
}

/** The command, kept to that processor. */
export function onProcessor(processor: number, command: readonly string[]): readonly [string, ...string[]] {
  return [setter, '-c', String(processor), ...command];
}

/** Those on which the process may run, as proc(5) lists them: `0-3,6`. Throws when it tells none. */
export function processorsOf(pid: number): string {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(textOf(`/proc/${pid}/status`))?.[1];
  if (list === undefined) throw new LabError(`proc(5) does not tell on which processors process ${pid} may run`);
  return list;
}

/** The last of such a list. The first has the most interrupts to serve. */
export function lastOf(processors: string): number {
  return Number(/\d+$/.exec(processors)?.[0]);
}

/** Lets every thread of the group run on these processors and no others. Those that have ended meanwhile need none. */
export function keepTo(processors: string, group: number): void {
  for (const pid of membersOf(group)) {
    try {
      execFileSync(setter, ['-a', '-c', '-p', processors, String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      if (statOf(pid) === undefined) continue;
      throw new LabError(`${setter} cannot keep process ${pid} to ${processors}: ${(error as Error).message.trim()}`);
    }
  }
}

/** The processor time that the group has had, in clock ticks. */
export function ticksOf(group: number): number {
  return membersOf(group).reduce((sum, pid) => sum + (statOf(pid)?.busyTicks ?? 0), 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
