// Who runs first on a machine that is too small for a lab: real-time scheduling, sched(7). Niceness counts for nothing
// against the processes of other sessions or containers where the kernel groups them ("The autogroup feature").
//
//   load generator            first of all: its own lateness is no fact about the limiter
//   the path of a request     limiters, Toxiproxy, Redis: by turns, each until it waits
//   the runner                keeps the schedule and looks whether a fault is on, and is busy for 5 ms at a time
//   all else                  Prometheus, and the threads that collect garbage or compile
//
// With ordinary scheduling each of them waits for a tick of the kernel, 4 ms, for every other that wants to run. Where
// this cannot be, not on Linux or not as root, all stays as it was.

import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { membersOf } from './process-stat.ts';

const setter = 'chrt';
const priorities = { runner: '1', path: '2', load: '3' };
const ordinary = ['--other', '--pid', '0'];

/** Has the process's main thread, and those that it starts from then on, run before all else on the machine. */
export function goFirst(pid: number): void {
  spawnSync(setter, ['--fifo', '--pid', priorities.load, String(pid)], { stdio: 'ignore' });
}

/** Has the processes of the group run before all that is not on the path of a request. Never rejects. */
export function putOnPath(group: number): Promise<void> {
  return schedule(['--rr', '--pid', priorities.path], group);
}

/** Has the caller's main thread run right after them until it is disposed of, and nothing that it starts. Never rejects. */
export async function afterPath(): Promise<AsyncDisposable> {
  const own = String(process.pid);
  await set(['--reset-on-fork', '--rr', '--pid', priorities.runner], [own]);
  return { [Symbol.asyncDispose]: () => set(ordinary, [own]) };
}

/** Takes `putOnPath` back. */
export function takeOffPath(group: number): Promise<void> {
  return schedule(ordinary, group);
}

function schedule(how: readonly string[], group: number): Promise<void> {
  return set(how, membersOf(group).flatMap(threadsOf));
}

async function set(how: readonly string[], threads: readonly string[]): Promise<void> {
  const each = `for thread; do ${setter} ${how.join(' ')} "$thread"; done`;
  await promisify(execFile)('sh', ['-c', each, 'sh', ...threads]).catch(() => {});
}

/** Of Node's the main one alone: those that collect garbage and compile beside it want to run for up to 20 ms at a time. */
function threadsOf(pid: number): string[] {
  try {
    const isNode = basename(readlinkSync(`/proc/${pid}/exe`)) === 'node';
    return isNode ? [String(pid)] : readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended
  }
}
