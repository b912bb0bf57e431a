// Who runs on which core at saturation. The load generator, which then takes all it can get, has one to itself, so that
// it takes nothing from what it loads; a contender shares the others with its Redis: what a limiter costs is what both need.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Lists of cores, as taskset(1) takes them. */
export interface Cores {
  readonly load: string;
  readonly loaded: string;
  readonly all: string;
}

/** The last core that this process may use, and the others; undefined where that is one, or where it cannot be told. */
export function coresApart(status = statusOfSelf()): Cores | undefined {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1] ?? '';
  const cores = list.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  const load = cores.pop();
  return load === undefined || cores.length === 0
    ? undefined
    : { load: String(load), loaded: cores.join(','), all: list };
}

/** Moves this process there, with its threads; what it starts from now on begins there. False where that cannot be. */
export function moveTo(cores: string): boolean {
  const args = ['--all-tasks', '--cpu-list', '--pid', cores, String(process.pid)];
  return spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
}

/** Moves this process to a core of its own; undefined where that cannot be, and it takes from what it loads. */
export function loadApart(): Cores | undefined {
  const cores = coresApart();
  return cores && moveTo(cores.load) ? cores : undefined;
}

/** The program, on these cores from its first instruction on. */
export function startedOn(cores: string, program: { command: string; args: readonly string[] }) {
  return { command: 'taskset', args: ['--cpu-list', cores, program.command, ...program.args] };
}

/** Empty but on Linux. */
function statusOfSelf(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
