import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabError } from '../../../chaos/errors.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { refuseUnhealed } from '../../../chaos/undo/unhealed.ts';
import { projectDirectory } from '../../support/lab-processes.ts';
import { deadRunner, processEntry, UndoPlaces, writeRecord } from '../../support/undo-records.ts';
import { until } from '../../support/until.ts';

let places: UndoPlaces;
beforeEach(() => {
  places = new UndoPlaces();
});
afterEach(() => places[Symbol.dispose]());

/** A runner with a watchdog, a directory and a child of its own, all in one process group; says what it has, and waits. */
async function startRunner() {
  const script = `
    import { spawn } from 'node:child_process';
    import { once } from 'node:events';
    import { UndoLog } from './chaos/host/undo-log.ts';
    import { startWatchdog } from './chaos/undo/watchdog.ts';
    const watchdog = await startWatchdog(${JSON.stringify(places.records)});
    const undo = new UndoLog(${JSON.stringify(places.records)});
    const data = undo.temporaryDirectory();
    const child = spawn('sleep', ['60'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', undo.fd] });
    undo.process('redis', child.pid);
    process.stdout.write(JSON.stringify({ data, child: child.pid }));
    process.stdin.resume();
    process.stdin.on('end', async () => {
      child.kill();
      await once(child, 'exit');
      (await import('node:fs')).rmdirSync(data);
      await undo.done();
      watchdog[Symbol.dispose]();
    });
  `;
  const runner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: projectDirectory,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>((resolve) => runner.stdout.once('data', (text) => resolve(String(text))));
  return { runner, ...(JSON.parse(said) as { data: string; child: number }) };
}

/** The one that watches this test's records. */
function watchdog(): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => argumentsOf(pid).includes(places.records));
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Whether the process is there, what it has made, and what is noted of it. */
const left = ({ child, data }: { child: number; data: string }) => ({
  child: startOf(child) !== undefined,
  data: existsSync(data),
  records: readdirSync(places.records).length,
  watchdog: watchdog() !== undefined,
});
const nothing = { child: false, data: false, records: 0, watchdog: false };

describe('the watchdog', () => {
  it('heals what a runner left whose whole process group was killed', async () => {
    const { runner, data, child } = await startRunner();
    expect(left({ child, data })).toEqual({ child: true, data: true, records: 1, watchdog: true });
    process.kill(-(runner.pid as number), 'SIGKILL');
    await until('the end of all', () => watchdog() === undefined);
    expect(left({ child, data })).toEqual(nothing);
  });

  it('ends when a run has ended well', async () => {
    const { runner, data, child } = await startRunner();
    runner.stdin.end();
    await until('its end', () => watchdog() === undefined);
    expect(left({ child, data })).toEqual(nothing);
  });

  it('sleeps until then, and is not woken once', async () => {
    const { runner } = await startRunner();
    const pid = await until('the watchdog', watchdog);
    const wakes = () => /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    await until('a second without a wake', async () => {
      const before = wakes();
      await sleep(1000);
      return wakes() === before;
    });
    runner.stdin.end();
    await until('its end', () => watchdog() === undefined);
  });

  it('is missed only when it is needed: a run goes on without it', async () => {
    const { runner, data, child } = await startRunner();
    process.kill(await until('the watchdog', watchdog), 'SIGKILL');
    await until('its end', () => watchdog() === undefined);
    const ended = new Promise((resolve) => runner.once('exit', (status) => resolve(status)));
    runner.stdin.end();
    expect(await ended).toBe(0);
    expect(left({ child, data })).toEqual(nothing);
  });
});

describe('a run', () => {
  const refusal = (msMax: number) => refuseUnhealed(places.records, msMax);

  it('begins where nothing is left, and where another is in progress', async () => {
    await refusal(0);
    const { pid } = await places.sleepers.start();
    const log = new UndoLog(places.records);
    log.process('redis', pid);
    await refusal(0);
    places.sleepers[Symbol.dispose]();
    await until('its end', () => startOf(pid) === undefined);
    await log.done();
  });

  it('begins where what a dead runner noted is gone, as after a restart of the machine', async () => {
    writeRecord(places.records, [deadRunner, { kind: 'directory', path: join(places.temporary, 'gone') }]);
    await refusal(0);
  });

  it('refuses where something is left, names it, and says what to type', async () => {
    const path = writeRecord(places.records, [deadRunner, 'null\n']);
    const { pid } = await places.sleepers.start(path);
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    const none = "999999999-0123456789ab.ndjson, line 2, is none of the lab's";
    await expect(refusal(0)).rejects.toThrow(
      new LabError(
        `An earlier run has left something behind: ${none}: Invalid input: expected object, received null; left alone, redis (process ${pid}). Type: npm run heal`,
      ),
    );
  });

  it('waits for whoever puts it right just now', async () => {
    const path = writeRecord(places.records, [deadRunner]);
    const { pid, child } = await places.sleepers.start(path);
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    setTimeout(() => child.kill(), 300);
    await refusal(60_000);
    expect(startOf(pid)).toBeUndefined();
  });
});
