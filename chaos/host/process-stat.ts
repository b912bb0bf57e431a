// What proc(5) tells of a process; and which processes are of a group: the lab lets each program that it starts lead one of
// its own, so that what the program starts itself is known.

import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessStat {
  /** `Z` for one whose end nobody has taken note of. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** When it started, and the processor time that it has had, in clock ticks. */
  readonly startedTicks: string;
  readonly busyTicks: number;
}

/** Undefined when there is no such process, or no proc(5). */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    return statIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** After the command in parentheses come fields 3 to 5; 14 and 15, the time in user and in kernel mode; and 22, the start. */
function statIn(text: string): ProcessStat {
  const fields = text.replace(/^.*\) /s, '').split(' ');
  return {
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startedTicks: fields[19] ?? '',
    busyTicks: Number(fields[11]) + Number(fields[12]),
  };
}

/** Those of the group; none where there is no proc(5). */
export function membersOf(group: number): readonly number[] {
  return groups().get(group) ?? [];
}

/** All processes by their group, as one look at them all finds them. */
export function groups(): ReadonlyMap<number | undefined, readonly number[]> {
  return Map.groupBy(processIds(), (pid) => statOf(pid)?.group);
}

/** Of all processes; none where there is no proc(5). */
export function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
