// How much memory each instance's process has, as the system tells of it: the limiters are asked nothing.

import { readFileSync } from 'node:fs';
import type { Environment, Instance } from '../environment.ts';
import type { MemoryEvent } from '../history.ts';
import { sinceZeroMs, type Zero } from './observer.ts';

const bytesPerKilobyte = 1024;

/** One event for each instance whose process lives and can be seen. */
export function memoryOf({ instances }: Pick<Environment, 'instances'>, zero: Zero): MemoryEvent[] {
  const atMs = sinceZeroMs(zero);
  if (atMs < 0) return [];
  return instances.flatMap(({ name, process }) => {
    const residentBytes = residentOf(process);
    return residentBytes === undefined ? [] : [{ type: 'memory', instance: name, atMs, residentBytes }];
  });
}

/** By proc(5), where there is one. */
function residentOf(process: Instance['process']): number | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${process?.pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * bytesPerKilobyte;
  } catch {
    return undefined;
  }
}
