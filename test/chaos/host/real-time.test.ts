// Who runs first: what proc_pid_stat(5) says of each thread. Only root may set it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { NativeParts } from '../../../chaos/drivers/native-parts.ts';
import type { Restartable } from '../../../chaos/environment.ts';
import { putOnPath, startOnPath, takeOffPath } from '../../../chaos/host/real-time.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

const policies: Readonly<Record<string, string>> = { 0: 'ordinary', 1: 'fifo', 2: 'by turns' };
const ordinary = 'ordinary 0';

let child: ChildProcess | undefined;
afterEach(() => {
  if (child?.pid) process.kill(-child.pid, 'SIGKILL');
  child = undefined;
});

/** Leads a process group, as the lab's parts do; resolves when it says something. */
async function start(command: string, args: readonly string[]): Promise<number> {
  const started = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  await new Promise((resolve) => started.stdout.once('data', resolve));
  return started.pid as number;
}

/** Of the main thread, and what all others have. */
function schedulingOf(pid: number): { main: string; others: readonly string[] } {
  const of = (thread: string) => {
    const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return `${policies[fields[38] ?? '']} ${fields[37]}`;
  };
  const others = readdirSync(`/proc/${pid}/task`).filter((thread) => thread !== String(pid));
  return { main: of(String(pid)), others: [...new Set(others.map(of))] };
}

describe.runIf(process.getuid?.() === 0)('as root', () => {
  it("runs a limiter of Node's by its main thread before its helpers, and those before all else", async () => {
    const pid = await start(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)']);
    expect(schedulingOf(pid)).toEqual({ main: ordinary, others: [ordinary] });
    await startOnPath(pid);
    expect(schedulingOf(pid)).toEqual({ main: 'by turns 1', others: ['by turns 1'] });
    await putOnPath(pid);
    expect(schedulingOf(pid)).toEqual({ main: 'by turns 3', others: ['by turns 1'] });
    await takeOffPath(pid);
    expect(schedulingOf(pid)).toEqual({ main: ordinary, others: [ordinary] });
  });

  it('runs every process of a command, and Redis after the path', async () => {
    const pid = await start('sh', ['-c', 'sleep 60 & echo $!; wait']);
    const grandchild = () =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .trim()
        .split(' ')
        .map((id) => schedulingOf(Number(id)).main);
    await putOnPath(pid, 'store');
    expect([schedulingOf(pid).main, ...grandchild()]).toEqual(['by turns 2', 'by turns 2']);
    await putOnPath(pid);
    expect([schedulingOf(pid).main, ...grandchild()]).toEqual(['by turns 3', 'by turns 3']);
  });

  it('has one that is started anew run before what else the machine does, and on the path when it is ready', async () => {
    using directory = temporaryDirectory();
    mkdirSync(join(directory.path, 'logs'));
    await using parts = NativeParts.create(join(directory.path, 'logs'));
    const seen: string[] = [];
    let part: Restartable | undefined;
    const ask = async () => part === undefined || seen.push(schedulingOf(part.pid).main);
    part = await parts.startRestartable({ name: 'slow', command: 'sleep', args: ['60'], onPath: 'path' }, ask);
    await part.kill();
    await part.start();
    expect([...seen, schedulingOf(part.pid).main]).toEqual(['by turns 1', 'by turns 3']);
  });
});
