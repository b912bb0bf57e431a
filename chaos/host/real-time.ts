// Who runs first on a machine that is too small for a lab: real-time scheduling, sched(7). Niceness counts for nothing
// against the processes of other sessions or containers where the kernel groups them ("The autogroup feature").
//
//   load generator            first of all: its own lateness is no fact about the limiter
//   the path of a request     limiters, Toxiproxy: by turns, each until it waits; so does the runner, which keeps the
//                             schedule and looks whether a fault is on
//   Redis                     after them: one that a script keeps busy must not stop them for its turn of 100 ms
//   what these wait for       one that is starting, or the threads in which a limiter collects garbage and compiles
//   all else                  Prometheus, and whatever runs on the machine beside the lab
//
// With ordinary scheduling each of them waits for a tick of the kernel, 4 ms, for every other that wants to run. Where
// this cannot be, not on Linux or not as root, all stays as it was.

import { execFile, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { membersOf } from './process-stat.ts';

const setter = 'chrt';
const priorities = { helper: '1', store: '2', path: '3', load: '4' };
const ordinary = ['--other', '--pid', '0'];
const allThreads = '--all-tasks';

/** Has the process's main thread, and those that it starts from then on, run before all else on the machine. */
export function goFirst(pid: number): void {
  spawnSync(setter, ['--fifo', '--pid', priorities.load, String(pid)], { stdio: 'ignore' });
}

/** Has the processes of the group, which have just begun to start, run before all that is not on the path of a request. Never rejects. */
export function startOnPath(group: number): Promise<void> {
  return each(group, () => [[allThreads, ...byTurns('helper')]]);
}

/** Has the processes of the group, which have started, run before those that are starting. Never rejects. */
export function putOnPath(group: number, as: 'path' | 'store' = 'path'): Promise<void> {
  return each(group, (pid) =>
    // The other threads of Node want to run for up to 20 ms at a time.
    isNode(pid) ? [[allThreads, ...byTurns('helper')], byTurns(as)] : [[allThreads, ...byTurns(as)]],
  );
}

/** Has the caller's main thread run with them until it is disposed of, and nothing that it starts. Never rejects. */
export async function withPath(): Promise<AsyncDisposable> {
  const own = process.pid;
  await set([['--reset-on-fork', ...byTurns('path'), String(own)]]);
  return { [Symbol.asyncDispose]: () => set([[...ordinary, String(own)]]) };
}

/** Takes `putOnPath` back. */
export function takeOffPath(group: number): Promise<void> {
  return each(group, () => [[allThreads, ...ordinary]]);
}

function byTurns(as: keyof typeof priorities): readonly string[] {
  return ['--rr', '--pid', priorities[as]];
}

/** `how`: arguments, without the process's id. */
function each(group: number, how: (pid: number) => readonly (readonly string[])[]): Promise<void> {
  return set(membersOf(group).flatMap((pid) => how(pid).map((args) => [...args, String(pid)])));
}

async function set(calls: readonly (readonly string[])[]): Promise<void> {
  const script = calls.map((args) => `${setter} ${args.join(' ')}`).join('\n');
  await promisify(execFile)('sh', ['-c', script]).catch(() => {}); // some have ended meanwhile
}

function isNode(pid: number): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)) === 'node';
  } catch {
    return false; // it has ended
  }
}
