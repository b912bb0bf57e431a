// Real-time scheduling of a thread. Niceness counts for nothing against the processes of other sessions or containers
// where the kernel groups them (sched(7), "The autogroup feature").

import { spawnSync } from 'node:child_process';

/**
 * Has the process's main thread, and those that it starts from then on, run before all else on the machine whenever they
 * want to. Not the threads that collect garbage and compile beside it: those want to for up to 20 ms at a time, and all
 * else on the machine waited for that. Where it cannot be, not on Linux or not as root, all stays as it was.
 */
export function goFirst(pid: number): void {
  spawnSync('chrt', ['--fifo', '--pid', '1', String(pid)], { stdio: 'ignore' });
}
