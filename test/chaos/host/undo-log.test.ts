import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabError } from '../../../chaos/errors.ts';
import { leftOf } from '../../../chaos/host/left-behind.ts';
import { holdsOpen, isSame, startOf } from '../../../chaos/host/process-identity.ts';
import { LabProcess } from '../../../chaos/host/processes.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { startToxiproxy } from '../../support/toxiproxy.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
let log: UndoLog;
beforeEach(() => {
  temporary = temporaryDirectory();
  log = new UndoLog(join(temporary.path, 'undo'));
});
afterEach(async () => {
  await log.done();
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
    rmSync(path, { recursive: true });
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

describe('the end of an undo log', () => {
  it('removes the record when all that it tells of is gone', async () => {
    const ended = new UndoLog(join(temporary.path, 'ended'));
    rmSync(ended.temporaryDirectory(), { recursive: true });
    await ended.done();
    expect(readdirSync(join(temporary.path, 'ended'))).toEqual([]);
  });

  it('names what is still there, noted or not, and keeps the record', async () => {
    const kept = new UndoLog(join(temporary.path, 'kept'));
    const directory = kept.temporaryDirectory();
    const file = join(directory, 'target.json');
    writeFileSync(file, '');
    kept.file(file);
    const stdio = ['ignore', 'ignore', 'ignore', kept.fd] as const;
    const [noted, unnoted] = [
      spawn('sleep', ['60'], { stdio: [...stdio] }),
      spawn('sleep', ['60'], { stdio: [...stdio] }),
    ];
    const daemon = spawn('sleep', ['60'], { env: { ...process.env, ...kept.environment }, detached: true });
    await Promise.all([noted, unnoted, daemon].map((child) => once(child, 'spawn')));
    kept.process('redis', noted.pid as number);
    try {
      const parts = [
        `the directory ${directory}`,
        `the file ${file}`,
        `redis (process ${noted.pid})`,
        `process ${unnoted.pid}, which the lab has started`,
        `process ${daemon.pid}, which the lab has started`,
      ];
      const error = `The run has left behind: ${parts.join(', ')}. Type: npm run heal`;
      await expect(kept.done()).rejects.toThrow(new LabError(error));
      expect(readdirSync(join(temporary.path, 'kept'))).toHaveLength(1);
    } finally {
      noted.kill();
      unnoted.kill();
      daemon.kill();
      rmSync(directory, { recursive: true });
    }
  });

  it('ends what has outlived the process that started it', async () => {
    const ended = new UndoLog(join(temporary.path, 'ended'));
    const script = 'setsid sleep 60 3>&- >&- 2>&- & echo $!';
    const parent = spawn('sh', ['-c', script], { env: { ...process.env, ...ended.environment } });
    const [[text]] = await Promise.all([once(parent.stdout, 'data'), once(parent, 'exit')]);
    const daemon = Number(text);
    expect(startOf(daemon)).toBeDefined();
    await ended.done();
    expect([startOf(daemon), readdirSync(join(temporary.path, 'ended'))]).toEqual([undefined, []]);
  });

  it('names each toxic and each proxy of its own that a Toxiproxy of somebody else’s still has', async () => {
    await using toxiproxy = await startToxiproxy();
    const { api, url } = toxiproxy;
    const names = ['limiter-1-store', 'limiter-2-store', 'lab'];
    for (const name of names) await api.createProxy(name, '127.0.0.1:1');
    await api.addToxic('limiter-1-store', {
      name: 'stall_upstream',
      type: 'bandwidth',
      stream: 'upstream',
      attributes: { rate: 0 },
    });
    await api.setEnabled('limiter-2-store', false);
    const entry = { kind: 'toxiproxy' as const, url, links: names.slice(0, 2), proxies: names.slice(2) };
    expect(await leftOf(entry)).toEqual([
      'the proxy lab',
      'stall_upstream on limiter-1-store',
      'limiter-2-store, which is disabled',
    ]);
    await api.removeToxics('limiter-1-store');
    await api.setEnabled('limiter-2-store', true);
    await api.removeProxy('lab');
    expect(await leftOf(entry)).toEqual([]);
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
