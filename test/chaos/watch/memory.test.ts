import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Environment } from '../../../chaos/environment.ts';
import type { MemoryEvent } from '../../../chaos/history.ts';
import { MemoryWatch } from '../../../chaos/watch/memory.ts';
import { until } from '../../support/until.ts';

const started: ChildProcess[] = [];

/** A shell that leads a group of its own, and has started what it was told to; a line to it ends the last of that. */
async function shell(script: string): Promise<number> {
  const child = spawn('sh', ['-c', `${script} echo started; read -r line; kill $!; read -r end`], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  started.push(child);
  await once(child.stdout, 'data');
  return child.pid as number;
}

async function end(pid: number): Promise<void> {
  const child = started.find((it) => it.pid === pid) as ChildProcess;
  started.splice(started.indexOf(child), 1);
  const gone = once(child, 'close');
  process.kill(-pid, 'SIGKILL');
  await gone;
}

afterEach(async () => {
  for (const { pid } of [...started]) await end(pid as number);
});

/** As if it had started so long ago. */
function watching(restartable: { pid: number }, atMs = 1000) {
  const environment = { instances: [{ name: 'limiter-1', process: restartable }, { name: 'limiter-2' }] };
  const us = Number(process.hrtime.bigint() / 1000n) - atMs * 1000;
  return new MemoryWatch(environment as unknown as Environment, { us, epochMs: 0 });
}

function sizeIn([event]: readonly MemoryEvent[]): number {
  return event?.residentBytes ?? Number.NaN;
}

describe.skipIf(process.platform !== 'linux')('the memory of an instance', () => {
  it('is that of its process and of all that it started', async () => {
    const alone = watching({ pid: await shell('') }).look();
    expect(alone).toMatchObject([{ type: 'memory', instance: 'limiter-1' }]);
    const three = watching({ pid: await shell('sleep 60 & sleep 60 &') });
    // A process that has just started is small.
    await until('three processes', () => sizeIn(three.look()) > 2 * sizeIn(alone));
  });

  it('is told of the process that runs now, a look after it was started anew', async () => {
    const restartable = { pid: await shell('') };
    const watch = watching(restartable);
    expect(watch.look()).toHaveLength(1);
    await end(restartable.pid);
    expect(watch.look()).toEqual([]);
    restartable.pid = await shell('');
    expect(watch.look()).toHaveLength(1);
  });

  it('is that of what is left when one of its processes has ended', async () => {
    const alone = sizeIn(watching({ pid: await shell('') }).look());
    const watch = watching({ pid: await shell('sleep 60 &') });
    await until('two processes', () => sizeIn(watch.look()) > 1.5 * alone);
    started.at(-1)?.stdin?.write('\n');
    await until('the one that is left', () => sizeIn(watch.look()) < 1.2 * alone);
  });

  it('is not told of a time before the schedule began', async () => {
    expect(watching({ pid: await shell('') }, -60_000).look()).toEqual([]);
  });
});
