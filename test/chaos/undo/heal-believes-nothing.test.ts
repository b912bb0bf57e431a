// What stands in a record is believed only as far as it is provably the lab's.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabError } from '../../../chaos/errors.ts';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { heal } from '../../../chaos/undo/healing.ts';
import { deadPid, deadRecord, deadRunner, processEntry, UndoPlaces, writeRecord } from '../../support/undo-records.ts';

let places: UndoPlaces;
beforeEach(() => {
  places = new UndoPlaces();
});
afterEach(() => places[Symbol.dispose]());

const name = `${deadRecord}.ndjson`;
const problems = (...lines: unknown[]) => ({ done: [], problems: lines });

describe('heal leaves alone, says so, and keeps the record:', () => {
  it('a process of the user, though its id and its start are right', async () => {
    const { pid } = await places.sleepers.start();
    const path = writeRecord(places.records, [deadRunner, processEntry(pid)]);
    const why = 'it does not hold the record open; left alone';
    expect(await heal(places)).toEqual(problems(`${name}, line 2: process ${pid} is not known for the lab's: ${why}`));
    expect(startOf(pid)).toBeDefined();
    expect(existsSync(path)).toBe(true);
  });

  it.each([
    ['elsewhere', (): string => join(places.temporary, 'home', `failopen-${deadRecord}-1`)],
    ['with another name', () => join(places.temporary, 'failopen-backup')],
    ["of another run's", () => join(places.temporary, `failopen-${deadPid}-ffffffffffff-1`)],
    ['that is reached through a parent', () => `${join(places.temporary, `failopen-${deadRecord}-1`)}/../home`],
  ])('a directory %s', async (_where, pathOf) => {
    const path = pathOf();
    mkdirSync(join(places.temporary, 'home'));
    mkdirSync(join(places.temporary, `failopen-${deadRecord}-1`), { recursive: true });
    mkdirSync(path, { recursive: true });
    writeRecord(places.records, [deadRunner, { kind: 'directory', path }]);
    expect(await heal(places)).toEqual(
      problems(expect.stringMatching(`^${name}, line 2: .* is not the run's: allowed is`)),
    );
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(places.records)).toEqual([name]);
  });

  it('a link in the place of a directory, and what it points at', async () => {
    const home = join(places.temporary, 'home');
    mkdirSync(home);
    const path = join(places.temporary, `failopen-${deadRecord}-1`);
    symlinkSync(home, path);
    writeRecord(places.records, [deadRunner, { kind: 'directory', path }]);
    expect((await heal(places)).problems).toHaveLength(1);
    expect(existsSync(home) && existsSync(path)).toBe(true);
  });

  it.each([
    ['elsewhere', 'home', '0123456789abcdef.json', '[]'],
    ['with another name', 'targets', 'prometheus.json', '[{"targets":[],"labels":{"instance":"lab"}}]'],
    ['with another content', 'targets', '0123456789abcdef.json', '[{"targets":[],"labels":{"instance":"mine"}}]'],
  ])('a file %s', async (_what, folder, file, text) => {
    mkdirSync(places.targets);
    mkdirSync(join(places.temporary, folder), { recursive: true });
    const path = join(places.temporary, folder, file);
    writeFileSync(path, text);
    writeRecord(places.records, [deadRunner, { kind: 'file', path }]);
    expect(await heal(places)).toEqual(
      problems(expect.stringMatching(`^${name}, line 2: .* is not the run's: allowed is`)),
    );
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each([
    ['null', 'null', 'Invalid input'],
    ['a list', '[]', 'Invalid input'],
    ['no JSON', 'pid 17', 'no JSON'],
    ['an empty line', '', 'no JSON'],
    ['an unknown kind', '{"kind":"everything"}', 'kind: Invalid'],
    ['every process at once', '{"kind":"process","name":"x","pid":-1,"startedAt":"1"}', 'pid: Too small'],
    ['the first process', '{"kind":"process","name":"x","pid":1,"startedAt":"1"}', 'pid: Too small'],
    ['a process id that is a text', '{"kind":"process","name":"x","pid":"17","startedAt":"1"}', 'pid: Invalid input'],
    [
      "somebody's label",
      '{"kind":"labelled","label":{"name":"com.docker.compose.project","value":"a"}}',
      'label.name: ',
    ],
    ["somebody's container", '{"kind":"container","name":"postgres","id":"a"}', 'name: Invalid'],
    [
      'a Toxiproxy elsewhere',
      '{"kind":"toxiproxy","url":"http://10.0.0.1:8474","links":[],"proxies":[]}',
      'url: must be',
    ],
    [
      "somebody's proxy",
      '{"kind":"toxiproxy","url":"http://127.0.0.1:1","links":["postgres"],"proxies":[]}',
      'links.0: ',
    ],
    ['more than the lab writes', '{"kind":"directory","path":"/tmp/x","also":1}', 'Unrecognized key'],
  ])('a line that is %s, while the others are put right', async (_what, text, why) => {
    const path = writeRecord(places.records, [deadRunner, `${text}\n`]);
    const { pid } = await places.sleepers.start(path);
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    const { done, problems } = await heal(places);
    expect({ done, problems }).toEqual({
      done: [`Ended redis (process ${pid}).`],
      problems: [expect.stringContaining(`${name}, line 2, is none of the lab's: ${why}`)],
    });
    expect(existsSync(path)).toBe(true);
  });
});

describe('one record that is none', () => {
  it.each<[string, string, (path: string) => void]>([
    ['a directory', 'is no file', (path) => mkdirSync(path)],
    ['a link', 'is a link', (path) => symlinkSync('/etc/passwd', path)],
    ['a pipe', 'is no file', (path) => execFileSync('mkfifo', [path])],
    ['larger than any', 'has 2000000 bytes', (path) => writeFileSync(path, 'x'.repeat(2_000_000))],
  ])('because it is %s stops no other', async (_what, why, make) => {
    const path = writeRecord(places.records, [deadRunner]);
    const { pid } = await places.sleepers.start(path);
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    make(join(places.records, '1-000000000000.ndjson')); // comes first
    expect(await heal(places)).toEqual({
      done: [`Ended redis (process ${pid}).`],
      problems: [expect.stringContaining(`1-000000000000.ndjson ${why}`)],
    });
    expect(readdirSync(places.records)).toEqual(['1-000000000000.ndjson']);
  });

  it('by its name is told without what would steer a terminal', async () => {
    writeRecord(places.records, ['x'], 'a\u{1b}[31m\n');
    expect(await heal(places)).toEqual(
      problems("a\u{fffd}[31m\u{fffd} is no record of the lab's: these are named PID-NUMBER.ndjson; left alone"),
    );
  });
});

describe('a record without the line of its runner', () => {
  it('is one of a dead runner when the process in its name is dead: the first entry is not taken for the runner', async () => {
    const path = writeRecord(places.records, []);
    const { pid } = await places.sleepers.start(path);
    appendFileSync(path, `${JSON.stringify(processEntry(pid))}\n`);
    expect(await heal(places)).toEqual({ done: [`Ended redis (process ${pid}).`], problems: [] });
  });

  it('is left alone when that process lives and holds it open', async () => {
    const { pid } = await places.sleepers.start();
    const file = `${process.pid}-0123456789ab.ndjson`;
    const path = writeRecord(places.records, [processEntry(pid)], file);
    const held = openSync(path, 'a');
    const healed = await heal(places);
    closeSync(held);
    expect(healed).toEqual({
      done: [`A run is in progress (process ${process.pid}); left alone.`],
      problems: [],
    });
  });
});

describe('a runner that is named in a record', () => {
  it('does not keep it from being put right when it is somebody else, who does not hold it open', async () => {
    const other = await places.sleepers.start();
    const runner = { kind: 'runner', pid: other.pid, startedAt: startOf(other.pid) };
    writeRecord(places.records, [runner]);
    expect(await heal(places)).toEqual({ done: [], problems: [] });
    expect(readdirSync(places.records)).toEqual([]);
  });
});

describe('the directory of the records', () => {
  it('and each record are for nobody else to read', async () => {
    mkdirSync(places.records, { mode: 0o755 });
    const log = new UndoLog(places.records);
    const modes = [places.records, join(places.records, readdirSync(places.records)[0] ?? '')].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o600]);
    await log.done();
  });

  it('is neither written nor read where a link stands in its place', async () => {
    mkdirSync(join(places.temporary, 'elsewhere'));
    symlinkSync(join(places.temporary, 'elsewhere'), places.records);
    const refusal = new LabError(`${places.records} is a link; a directory must stand there`);
    expect(() => new UndoLog(places.records)).toThrow(refusal);
    await expect(heal(places)).rejects.toThrow(refusal);
  });
});

describe('a Toxiproxy that is not the lab’s', () => {
  it('is asked for the lab’s own proxies alone', async () => {
    const asked: string[] = [];
    const server = createServer(({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      response.setHeader('content-type', 'application/json');
      response.end(url === '/proxies' ? '{"postgres":{},"lab":{}}' : '[]');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    writeRecord(places.records, [deadRunner, { kind: 'toxiproxy', url, links: ['limiter-1-store'], proxies: ['lab'] }]);
    const healed = await heal(places);
    server.close();
    server.closeAllConnections();
    expect(healed).toEqual({ done: ['Removed the proxy lab.'], problems: [] });
    expect(asked.filter((request) => !request.startsWith('GET /proxies'))).toEqual(['DELETE /proxies/lab']);
  });
});
