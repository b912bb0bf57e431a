// Real-time scheduling of a process. Niceness counts for nothing against the processes of other sessions or containers
// where the kernel groups them (sched(7), "The autogroup feature").

import { spawnSync } from 'node:child_process';

/**
 * Has the process, with all its threads, run before all else on the machine whenever it wants to. Where that cannot be,
 * not on Linux or not as root, it stays as it was.
 */
export function goFirst(pid: number): void {
  spawnSync('chrt', ['--fifo', '--all-tasks', '--pid', '1', String(pid)], { stdio: 'ignore' });
}
