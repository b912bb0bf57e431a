// How much memory each instance has, the processes that it started included, as the system tells of it: the limiters are
// asked nothing.

import { readFileSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import type { MemoryEvent } from '../history.ts';
import { groups } from '../host/process-stat.ts';
import { sinceZeroMs, type Zero } from './observer.ts';

const bytesPerKilobyte = 1024;

/** One event for each instance of which a process lives and can be seen. */
export function memoryOf({ instances }: Pick<Environment, 'instances'>, zero: Zero): MemoryEvent[] {
  const atMs = sinceZeroMs(zero);
  if (atMs < 0) return [];
  const members = groups();
  return instances.flatMap(({ name, process }) => {
    const sizes = (process && members.get(process.pid))?.flatMap((pid) => residentOf(pid) ?? []) ?? [];
    if (sizes.length === 0) return [];
    return [{ type: 'memory', instance: name, atMs, residentBytes: sizes.reduce((sum, size) => sum + size) }];
  });
}

/** By proc(5), where there is one. */
function residentOf(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * bytesPerKilobyte;
  } catch {
    return undefined;
  }
}
