import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdsOpen, startOf } from '../../../chaos/host/process-identity.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { heal } from '../../../chaos/undo/healing.ts';
import { projectDirectory } from '../../support/lab-processes.ts';
import { deadPid, deadRecord, deadRunner, processEntry, UndoPlaces, writeRecord } from '../../support/undo-records.ts';
import { until } from '../../support/until.ts';

let places: UndoPlaces;
beforeEach(() => {
  places = new UndoPlaces();
});
afterEach(() => places[Symbol.dispose]());

/** What a runner that is dead has noted: itself, and then a child of it. */
async function leftRunning(command?: string, args?: string[]) {
  const path = writeRecord(places.records, [deadRunner]);
  const sleeper = await places.sleepers.start(path, command, args);
  appendFileSync(path, `${JSON.stringify(processEntry(sleeper.pid))}\n`);
  return { ...sleeper, path };
}
const done = (...lines: string[]) => ({ done: lines, problems: [] });

describe('heal', () => {
  it('ends what a killed runner left running, and removes its directory', async () => {
    const script = `
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      import { UndoLog } from './chaos/host/undo-log.ts';
      const undo = new UndoLog(${JSON.stringify(places.records)});
      const data = undo.temporaryDirectory();
      writeFileSync(data + '/dump.rdb', 'x');
      const child = spawn('sleep', ['60'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', undo.fd] });
      undo.process('redis', child.pid);
      process.stdout.write(child.pid + ' ' + data, () => process.kill(process.pid, 'SIGKILL'));
    `;
    const runner = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: projectDirectory });
    let said = '';
    runner.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const signal = await new Promise((resolve) => runner.once('close', (_code, by) => resolve(by)));
    const [pid = 0, data = ''] = [Number(said.split(' ')[0]), said.split(' ')[1]];
    expect(signal).toBe('SIGKILL');
    expect(startOf(pid)).toBeDefined();

    expect(await heal({ ...places, temporary: tmpdir() })).toEqual(
      done(`Ended redis (process ${pid}).`, `Removed the directory ${data}.`),
    );
    expect(startOf(pid)).toBeUndefined();
    expect(existsSync(data)).toBe(false);
    expect(readdirSync(places.records)).toEqual([]);
  });

  it('says and does nothing when repeated', async () => {
    const { pid, ended } = await leftRunning();
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`));
    expect(await ended).toBe('SIGTERM');
    expect(await heal(places)).toEqual(done());
  });

  it('has nothing to do where nothing was ever run', async () => {
    expect(await heal({ ...places, records: join(places.temporary, 'never') })).toEqual(done());
  });

  it('leaves a process alone that got the id of a dead one', async () => {
    const { pid } = await places.sleepers.start();
    const path = writeRecord(places.records, [deadRunner, processEntry(pid, '1')]);
    expect(await heal(places)).toEqual(done());
    expect(startOf(pid)).toBeDefined();
    expect(existsSync(path)).toBe(false);
  });

  it('leaves a process alone whose start was never known', async () => {
    const { pid } = await places.sleepers.start();
    writeRecord(places.records, [deadRunner, processEntry(pid, '')]);
    expect(await heal(places)).toEqual(done());
    expect(startOf(pid)).toBeDefined();
  });

  it('ends a process that the runner started and did not live to note, and nobody who only reads the record', async () => {
    const path = writeRecord(places.records, [deadRunner]);
    const unnoted = await places.sleepers.start(path);
    const reader = await places.sleepers.start(undefined, 'tail', ['-f', path]);
    await until('the reader', () => holdsOpen(reader.pid, path) === true);
    expect(await heal(places)).toEqual(done(`Ended process ${unnoted.pid}.`));
    expect([startOf(unnoted.pid), startOf(reader.pid)]).toEqual([undefined, expect.any(String)]);
  });

  it('ends a daemon of what the runner has started, by its environment', async () => {
    writeRecord(places.records, [deadRunner]);
    const script = `setsid env FAILOPEN_LAB_RUN=${deadRecord} sleep 60 >&- 2>&- & echo $!`;
    const { child } = await places.sleepers.start(undefined, 'sh', ['-c', script]);
    const daemon = await new Promise<number>((resolve) => child.stdout?.once('data', (text) => resolve(Number(text))));
    await until('the daemon', () => readFileSync(`/proc/${daemon}/cmdline`, 'utf8').startsWith('sleep'));
    expect(await heal(places)).toEqual(done(`Ended process ${daemon}.`));
    await until('its end', () => startOf(daemon) === undefined);
  });

  it('ends with a process what that has started itself', async () => {
    const path = writeRecord(places.records, [deadRunner]);
    const script = 'sleep 60 3>&- & echo $!; wait';
    const { pid, child } = await places.sleepers.start(path, 'setsid', ['sh', '-c', script]);
    const its = await new Promise<number>((resolve) => child.stdout?.once('data', (text) => resolve(Number(text))));
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`));
    await until('its end', () => startOf(its) === undefined);
  });

  it('of one runner alone leaves what others have left', async () => {
    const path = writeRecord(places.records, [deadRunner]);
    writeRecord(places.records, [deadRunner], '1-0123456789ab.ndjson');
    expect(await heal(places, deadPid)).toEqual(done());
    expect([existsSync(path), readdirSync(places.records)]).toEqual([false, ['1-0123456789ab.ndjson']]);
  });

  it('leaves the run of a living runner alone, and says so', async () => {
    const { pid } = await places.sleepers.start();
    const log = new UndoLog(places.records); // of this process, which lives
    log.process('redis', pid);
    expect(await heal(places)).toEqual(done(`A run is in progress (process ${process.pid}); left alone.`));
    expect(startOf(pid)).toBeDefined();
    expect(readdirSync(places.records)).toHaveLength(1);
    places.sleepers[Symbol.dispose]();
    await until('its end', () => startOf(pid) === undefined);
    await log.done();
    expect(readdirSync(places.records)).toEqual([]);
  });

  it('ends a frozen process', async () => {
    const { pid, ended, child } = await leftRunning();
    child.kill('SIGSTOP');
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`));
    expect(await ended).toBe('SIGTERM');
  });

  it('ends a process that does not heed SIGTERM', async () => {
    const script = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); process.stdout.write("ready")';
    const { pid, ended, child } = await leftRunning(process.execPath, ['-e', script]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`));
    expect(await ended).toBe('SIGKILL');
  });

  it('undoes in the opposite order: the directory after the process that uses it', async () => {
    const data = join(realpathSync(places.temporary), `failopen-${deadRecord}-1`);
    mkdirSync(data);
    const path = writeRecord(places.records, [deadRunner, { kind: 'directory', path: data }]);
    const { pid } = await places.sleepers.start(path);
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`, `Removed the directory ${data}.`));
  });

  it('removes a target that the run put into the directory of a stack, and leaves the directory', async () => {
    mkdirSync(places.targets);
    const file = join(places.targets, '0123456789abcdef.json');
    for (const text of ['[{"targets":["127.0.0.1:9"],"labels":{"instance":"lab"}}]\n', '']) {
      writeFileSync(file, text);
      writeRecord(places.records, [deadRunner, { kind: 'file', path: file }]);
      expect(await heal(places)).toEqual(done(`Removed the file ${file}.`));
      expect(readdirSync(places.targets)).toEqual([]);
    }
    writeRecord(places.records, [deadRunner, { kind: 'file', path: file }]);
    expect(await heal(places)).toEqual(done());
  });

  it('copes with a last line that was cut off', async () => {
    const { pid, path } = await leftRunning();
    appendFileSync(path, '{"kind":"proc');
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`));
  });

  it('puts things right once when two are started at the same time, and neither finds fault', async () => {
    const { pid } = await leftRunning();
    const both = await Promise.all([heal(places), heal(places)]);
    expect(both).toEqual(expect.arrayContaining([done(`Ended redis (process ${pid}).`), done()]));
  });

  it('does not wait for a heal that was killed', async () => {
    const { pid } = await leftRunning();
    writeFileSync(join(places.records, '.heal'), '999999999 1');
    expect(await heal(places)).toEqual(done(`Ended redis (process ${pid}).`));
  });
});
