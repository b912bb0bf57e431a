import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabError } from '../../chaos/errors.ts';
import { freePort, LabProcess } from '../../chaos/processes.ts';
import { startOf, UndoLog } from '../../chaos/undo.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => temporary[Symbol.dispose]());

function start(command: string, ...args: string[]) {
  const undo = new UndoLog(join(temporary.path, 'undo'));
  return LabProcess.start({ name: 'part', command, args, log: join(temporary.path, 'part.log'), undo });
}

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

describe('a process of the lab', () => {
  it('is gone once it is stopped, and tells how it ended', async () => {
    const part = await start('sleep', '60');
    expect(startOf(part.pid)).toBeDefined();
    await part.stop();
    expect({ start: startOf(part.pid), end: part.end }).toEqual({ start: undefined, end: 'was ended by SIGTERM' });
  });

  it('leaves no timer behind that would keep its runner from ending', async () => {
    const before = timers();
    const part = await start('sleep', '60');
    await part.stop();
    expect(timers()).toBe(before);
  });

  it('is stopped also when it is frozen', async () => {
    const part = await start('sleep', '60');
    part.kill('SIGSTOP');
    await part.stop();
    expect(part.end).toBe('was ended by SIGTERM');
  });

  it('cannot be started when there is no such program', async () => {
    await expect(start('/nonexistent')).rejects.toThrow(LabError);
  });

  it('is not ready when it ends first, and its last words say why', async () => {
    const part = await start('sh', '-c', 'echo one; echo two; echo the port is taken >&2; exit 3');
    await expect(part.ready(5000, async () => undefined)).rejects.toThrow(
      new LabError('part exited with status 3: one / two / the port is taken'),
    );
  });

  it('is not ready when nothing can be asked of it in time', async () => {
    const part = await start('sleep', '60');
    const ask = () => Promise.reject(new Error('connection refused'));
    await expect(part.ready(100, ask)).rejects.toThrow(
      new LabError('part was not ready within 0.1 s: it said nothing'),
    );
    await part.stop();
  });
});

describe('a free port', () => {
  it('is another one each time', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, freePort));
    expect(new Set(ports).size).toBe(20);
  });
});
