import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdsOpen, isSame, startOf } from '../../../chaos/host/process-identity.ts';
import { LabProcess } from '../../../chaos/host/processes.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let log: UndoLog;
beforeEach(() => {
  temporary = temporaryDirectory();
  log = new UndoLog(join(temporary.path, 'undo'));
});
afterEach(() => {
  log.done();
  temporary[Symbol.dispose]();
});

const record = () => join(temporary.path, 'undo', readdirSync(join(temporary.path, 'undo'))[0] ?? '');

describe('the undo log', () => {
  it('begins with the runner itself and has each line in the file at once', () => {
    log.file('/tmp/somewhere');
    const lines = readFileSync(record(), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { kind: 'runner', pid: process.pid, startedAt: startOf(process.pid) },
      { kind: 'file', path: '/tmp/somewhere' },
    ]);
  });

  it('notes a temporary directory under a name that holds its own, and makes it for nobody else', () => {
    const path = log.temporaryDirectory();
    const id = /([^/]+)\.ndjson$/.exec(record())?.[1];
    expect(path.endsWith(`/failopen-${id}-1`)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readFileSync(record(), 'utf8')).toContain(JSON.stringify({ kind: 'directory', path }));
  });

  it('is held open by each process that the lab starts, and by no other', async () => {
    const other = spawn('sleep', ['60']);
    const options = { name: 'part', command: 'sleep', args: ['60'], log: join(temporary.path, 'part.log'), undo: log };
    const part = await LabProcess.start(options);
    expect(holdsOpen(part.pid, record())).toBe(true);
    expect(holdsOpen(other.pid ?? 0, record())).toBe(false);
    expect(holdsOpen(999_999_999, record())).toBeUndefined();
    await part.stop();
    other.kill();
  });
});

describe('a process', () => {
  it('has a start that is always the same, and one that does not exist has none', () => {
    expect(startOf(process.pid)).toMatch(/\S/);
    expect(startOf(process.pid)).toBe(startOf(process.pid));
    expect(startOf(999_999_999)).toBeUndefined();
  });

  it('is the same one only by a start that is known', () => {
    expect(isSame(process.pid, startOf(process.pid) ?? '')).toBe(true);
    expect(isSame(process.pid, '')).toBe(false);
    expect(isSame(999_999_999, '')).toBe(false);
  });
});
