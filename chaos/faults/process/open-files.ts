// One instance may open no more files: the limit of them, RLIMIT_NOFILE, of each of its processes is lowered to what that has
// open, so that it can take no new connection and make none. Those that it has go on.

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { until } from '../../clock.ts';
import type { Restartable } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { startOf } from '../../host/process-identity.ts';
import { membersOf } from '../../host/process-stat.ts';
import { defineFault, nothing } from '../fault.ts';
import { answering, look, processOf } from './instance.ts';

const run = promisify(execFile);
/** In this time, the files that are being closed are. */
const settleMs = 2000;
/** The limits of its processes before they were lowered, as proc(5) tells them. */
const usual = new WeakMap<Restartable, ReadonlyMap<number, string>>();

export const openFiles = defineFault({
  kind: 'open-files',
  family: 'process',
  params: nothing,
  examples: [{}],
  needs: ['limiter-process'],
  reaches: ['one-instance'],
  effect: () => 'full',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment, target) {
    const process = processOf(environment, target);
    const before = usual.get(process) ?? (await limitsOf(process.pid));
    usual.set(process, before);
    await Promise.all([...before.keys()].map(fill));
  },
  async heal(environment, target) {
    const process = processOf(environment, target);
    const before = usual.get(process) ?? new Map<number, string>();
    await Promise.all([...before].map(([pid, soft]) => unlessGone(pid, () => limit(pid, soft))));
    if (usual.delete(process)) await answering(target);
  },
  look,
  bites: ({ outcome }) => outcome !== 'pong',
  describe: () => 'One limiter had as many files open as it may, and took no new connection',
});

async function limitsOf(group: number): Promise<ReadonlyMap<number, string>> {
  const limits = new Map<number, string>();
  for (const pid of membersOf(group)) await unlessGone(pid, async () => void limits.set(pid, await softLimitOf(pid)));
  return limits;
}

/** A connection that was being closed leaves a number free under the limit: again, until none does. */
function fill(pid: number): Promise<void> {
  return unlessGone(pid, async () => {
    await until(settleMs, settleMs / 20, async () => {
      const lowest = await lowestUnused(pid);
      await limit(pid, String(lowest));
      await delay(settleMs / 40);
      return (await lowestUnused(pid)) >= lowest || undefined;
    });
  });
}

/** What ends meanwhile needs no limit. */
async function unlessGone(pid: number, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (startOf(pid) !== undefined) throw error;
  }
}

async function softLimitOf(pid: number): Promise<string> {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(await textOf(readFile(`/proc/${pid}/limits`, 'utf8')))?.[1];
  if (soft === undefined) throw new LabError(`proc(5) tells no limit of the open files of process ${pid}`);
  return soft;
}

/** A file is opened under the lowest number that is not in use, which must be under the limit. */
async function lowestUnused(pid: number): Promise<number> {
  const used = new Set((await textOf(readdir(`/proc/${pid}/fd`))).map(Number));
  let lowest = 0;
  while (used.has(lowest)) lowest++;
  return lowest;
}

/** The soft limit alone, which may be raised again. */
async function limit(pid: number, soft: string): Promise<void> {
  await run('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]).catch((error: Error) => {
    throw new LabError(`prlimit cannot set the limit of the open files of process ${pid}: ${error.message.trim()}`);
  });
}

function textOf<T>(read: Promise<T>): Promise<T> {
  return read.catch((error: Error) => {
    throw new LabError(`There is no proc(5) that tells of open files: ${error.message}`);
  });
}
