import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabError } from '../../../chaos/errors.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { LabProcess, NotReady } from '../../../chaos/host/processes.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { run, temporaryDirectory } from '../../support/lab-processes.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => temporary[Symbol.dispose]());

function start(command: string, ...args: string[]) {
  const undo = new UndoLog(join(temporary.path, 'undo'));
  return LabProcess.start({ name: 'part', command, args, log: join(temporary.path, 'part.log'), undo });
}

describe('a process of the lab', () => {
  it('is gone once it is stopped, and tells how it ended', async () => {
    const part = await start('sleep', '60');
    expect(startOf(part.pid)).toBeDefined();
    await part.stop();
    expect({ start: startOf(part.pid), end: part.end }).toEqual({ start: undefined, end: 'was ended by SIGTERM' });
  });

  it('leaves no timer behind that would keep its runner from ending', async () => {
    // In a process of its own, where nobody else's timers come and go.
    const script = `
      import { LabProcess, NotReady } from './chaos/host/processes.ts';
      import { UndoLog } from './chaos/host/undo-log.ts';
      const undo = new UndoLog(${JSON.stringify(join(temporary.path, 'undo'))});
      const log = ${JSON.stringify(join(temporary.path, 'part.log'))};
      const part = await LabProcess.start({ name: 'part', command: 'sleep', args: ['60'], log, undo });
      await part.stop();
      console.log(process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length);
    `;
    const { status, stdout, stderr } = await run(['--input-type=module', '-e', script]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0\n', stderr: '' });
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
    await expect(part.ready(30_000, async () => undefined)).rejects.toThrow(
      new LabError('part exited with status 3: one / two / the port is taken'),
    );
  });

  it.each([
    ['one line', `head -c 3000000 /dev/zero | tr '\\0' x`],
    ['many lines', 'yes | head -c 3000000'],
  ])('says the end of what it said, and not all, when that was megabytes in %s', async (_how, command) => {
    const part = await start('sh', '-c', `${command}; exit 3`);
    const error = await part.ready(30_000, async () => undefined).catch((error: unknown) => error);
    if (!(error instanceof NotReady)) throw error;
    expect(error.message.length).toBeLessThan(600);
    expect(error.said(20).length).toBeLessThan(20 * 600);
    expect(error.said(20)).toMatch(/^[xy…\n]+$/);
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
