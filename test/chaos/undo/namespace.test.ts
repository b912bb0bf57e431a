// A network namespace that a killed runner leaves: heal removes it with its rules, and nobody else's.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  leftOfNamespace,
  NetworkNamespace,
  noNamespaceBecause,
  removeNamespace,
} from '../../../chaos/host/namespace.ts';
import { UndoLog } from '../../../chaos/host/undo-log.ts';
import { heal } from '../../../chaos/undo/healing.ts';
import { refuseUnhealed } from '../../../chaos/undo/unhealed.ts';
import { projectDirectory } from '../../support/lab-processes.ts';
import { deadRecord, deadRunner, UndoPlaces, writeRecord } from '../../support/undo-records.ts';

const own = deadRecord.replace(/^\d+/, 'failopen');
const others = 'failopen-ffffffffffff';
const all = (name: string) => [
  `the network namespace ${name}`,
  `the network interface ${name.replace('failopen-', 'fo')}`,
];

describe.skipIf(noNamespaceBecause() !== undefined)('a network namespace', () => {
  let places: UndoPlaces;
  beforeEach(() => {
    places = new UndoPlaces();
  });
  afterEach(async () => {
    places[Symbol.dispose]();
    await Promise.all([own, others].map(removeNamespace));
  });

  it('of a killed runner is named by the next run, and removed by heal', async () => {
    const script = `
      import { NetworkNamespace } from './chaos/host/namespace.ts';
      import { UndoLog } from './chaos/host/undo-log.ts';
      const name = new UndoLog(${JSON.stringify(places.records)}).namespace();
      const namespace = await NetworkNamespace.create(name);
      await namespace.filterOf(6379).drop('upstream');
      process.stdout.write(name, () => process.kill(process.pid, 'SIGKILL'));
    `;
    const runner = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: projectDirectory });
    let name = '';
    runner.stdout.on('data', (text) => {
      name += text;
    });
    await once(runner, 'close');
    expect(execFileSync('ip', ['netns', 'exec', name, 'iptables', '-S', 'FORWARD'], { encoding: 'utf8' })).toContain(
      '--dport 6379 -j DROP',
    );
    await expect(refuseUnhealed(places.records, 0)).rejects.toThrow(all(name).join(', '));
    expect(await heal(places)).toEqual({ done: all(name).map((it) => `Removed ${it}.`), problems: [] });
    expect([leftOfNamespace(name), existsSync(`/sys/class/net/${name.replace('failopen-', 'fo')}`)]).toEqual([
      [],
      false,
    ]);
    expect(await heal(places)).toEqual({ done: [], problems: [] });
  });

  it('that is half made is removed as well, and so is none', async () => {
    execFileSync('ip', ['netns', 'add', own]);
    const record = [deadRunner, { kind: 'namespace', name: own }];
    writeRecord(places.records, record);
    expect((await heal(places)).done).toEqual([`Removed the network namespace ${own}.`]);
    writeRecord(places.records, record);
    expect(await heal(places)).toEqual({ done: [], problems: [] });
  });

  it('of another run is left alone, though the record names it', async () => {
    execFileSync('ip', ['netns', 'add', others]);
    writeRecord(places.records, [deadRunner, { kind: 'namespace', name: others }]);
    expect((await heal(places)).problems).toEqual([
      `${deadRecord}.ndjson, line 2: the network namespace ${others} is not the run's: allowed is ${own}; left alone`,
    ]);
    expect(leftOfNamespace(others)).toEqual([`the network namespace ${others}`]);
  });

  it('that is not the lab’s by its name is nobody’s to remove', async () => {
    writeRecord(places.records, [deadRunner, { kind: 'namespace', name: 'default' }]);
    expect((await heal(places)).problems).toEqual([expect.stringContaining('name: Invalid string')]);
  });

  it('that is still there when a run ends is told, and its record kept', async () => {
    const log = new UndoLog(places.records);
    const name = log.namespace();
    try {
      await NetworkNamespace.create(name);
      await expect(log.done()).rejects.toThrow(`The run has left behind: ${all(name).join(', ')}. Type: npm run heal`);
    } finally {
      await removeNamespace(name);
    }
  });
});
