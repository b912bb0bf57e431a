// How much memory each instance has, the processes that it started included, as the system tells of it: the limiters are
// asked nothing.

import { readFileSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import type { MemoryEvent } from '../history.ts';
import { groups } from '../host/process-stat.ts';
import { sinceZeroMs, type Zero } from './observer.ts';

const bytesPerKilobyte = 1024;
/** How long a process may live unseen: a look at all that run takes 4 ms, one at those that are known a tenth of it. */
const unseenMsMax = 5000;

export class MemoryWatch {
  readonly #instances: Environment['instances'];
  readonly #zero: Zero;
  #members: ReturnType<typeof groups> = new Map();
  #seenAtMs = Number.NEGATIVE_INFINITY;

  constructor({ instances }: Pick<Environment, 'instances'>, zero: Zero) {
    this.#instances = instances;
    this.#zero = zero;
  }

  /** One event for each instance of which a process lives and can be seen. */
  look(): MemoryEvent[] {
    const atMs = sinceZeroMs(this.#zero);
    if (atMs < 0) return [];
    if (atMs - this.#seenAtMs >= unseenMsMax) {
      this.#members = groups();
      this.#seenAtMs = atMs;
    }
    return this.#instances.flatMap(({ name, process }): MemoryEvent[] => {
      if (!process) return [];
      const pids = this.#members.get(process.pid) ?? [];
      const sizes = pids.flatMap((pid) => residentOf(pid) ?? []);
      if (sizes.length === 0 || sizes.length < pids.length) this.#seenAtMs = Number.NEGATIVE_INFINITY; // others run now
      if (sizes.length === 0) return [];
      return [{ type: 'memory', instance: name, atMs, residentBytes: sizes.reduce((sum, size) => sum + size) }];
    });
  }
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
