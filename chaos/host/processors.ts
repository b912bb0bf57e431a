// On which processors of the machine a program runs, and how much of their time it had: of a process and of what it started
// itself, which the lab lets lead a group of its own.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { LabError } from '../errors.ts';

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
      if (fieldsOf(pid) === undefined) continue;
      throw new LabError(`${setter} cannot keep process ${pid} to ${processors}: ${(error as Error).message.trim()}`);
    }
  }
}

/** The processor time that the group has had, in clock ticks. */
export function ticksOf(group: number): number {
  return membersOf(group).reduce((sum, pid) => {
    const fields = fieldsOf(pid);
    return sum + Number(fields?.[userField] ?? 0) + Number(fields?.[systemField] ?? 0);
  }, 0);
}

/** Where proc(5) has them, counted from the state, which follows the command in parentheses. */
const [groupField, userField, systemField] = [2, 11, 12];

function membersOf(group: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => fieldsOf(pid)?.[groupField] === String(group));
}

/** Undefined when there is no such process. */
function fieldsOf(pid: number): string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.replace(/^.*\) /s, '').split(' ');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
