// What an answer costs in processor time. Where a machine is shared, others' work changes how much is answered in a second far
// more than what each answer costs.

import { readFileSync } from 'node:fs';
import type { Field } from './field.ts';

/** Of Linux, whatever its kernel was built with. */
const ticksPerSecond = 100;

/** Seconds that a process has had of processors, all threads; NaN where the system has no /proc. */
export function processorSecondsOf(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return Number.NaN;
  }
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number) as [number, number];
  return (user + system) / ticksPerSecond;
}

/** Of a table of costs. */
export const costTitle = (answer: string) => `Processor time of a ${answer} in µs, Redis's with it`;

export interface Costed {
  /** Microseconds of the contender and its Redis for each answer. */
  readonly costUs: number;
}

/** What `measure` gives, and the cost. `name`: of the contender that it loads, or of none for Redis alone. */
export async function withCost<Run extends { readonly answered: number }>(
  { redis, running }: Field,
  name: string,
  measure: () => Promise<Run>,
): Promise<Run & Costed> {
  const pids = [redis.pid, ...running.filter((it) => it.name === name).map(({ pid }) => pid)];
  const usedS = () => pids.reduce((sum, pid) => sum + processorSecondsOf(pid), 0);
  const beforeS = usedS();
  const run = await measure();
  return { ...run, costUs: (1_000_000 * (usedS() - beforeS)) / run.answered };
}
