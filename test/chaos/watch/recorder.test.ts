import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Recorder } from '../../../chaos/watch/recorder.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => temporary[Symbol.dispose]());

const now = new Date('2026-11-24T04:00:00Z');
const record = () => new Recorder(temporary.path, 'partition', 1, now, () => {});
const latest = () => readlinkSync(join(temporary.path, 'latest'));

const begin = { type: 'phase', phase: 'baseline', atMs: 0 } as const;

describe('the link to the latest run', () => {
  it('stays where it is until something is recorded of a run: of one that is refused nothing is', () => {
    using first = record();
    first.record(begin);
    using _refused = record();
    expect(latest()).toBe('20261124T040000Z-partition-1');
  });

  it('points at the run that began last', () => {
    using first = record();
    using second = record();
    for (const run of [first, second]) run.record(begin);
    expect([latest(), second.directory]).toEqual([
      '20261124T040000Z-partition-1-2',
      join(temporary.path, '20261124T040000Z-partition-1-2'),
    ]);
  });

  it('is replaced in one step: 4 processes that begin 200 runs each never fail, and leave one link', async () => {
    const module = join(import.meta.dirname, '../../../chaos/watch/recorder.ts');
    const program = `
      const { Recorder } = await import(${JSON.stringify(module)});
      for (let i = 0; i < 200; i++)
        {
          using run = new Recorder(${JSON.stringify(temporary.path)}, 'partition', process.pid, new Date(), (error) => { throw error; });
          run.record(${JSON.stringify(begin)});
        }`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'pipe'] }),
    );
    const ends = await Promise.all(
      children.map(async (child) => {
        let said = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
        const [status] = await once(child, 'close');
        return [status, /^Error:.*/m.exec(said)?.[0]];
      }),
    );
    expect(ends).toEqual(children.map(() => [0, undefined]));
    expect(readdirSync(temporary.path).filter((name) => !/^\d{8}T\d{6}Z-/.test(name))).toEqual(['latest']);
    expect(readdirSync(temporary.path)).toContain(latest());
  });

  it('takes the place of one that leads nowhere, and of nothing that is no link', () => {
    symlinkSync('nowhere', join(temporary.path, 'latest'));
    using run = record();
    run.record(begin);
    expect(latest()).toBe('20261124T040000Z-partition-1');
    const other = join(temporary.path, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'latest'), 'mine');
    expect(() => new Recorder(other, 'partition', 1, now, () => {})).toThrow(
      `${other}/latest is no link, so it is left alone; move it away`,
    );
    expect([readdirSync(other), readFileSync(join(other, 'latest'), 'utf8')]).toEqual([['latest'], 'mine']);
  });
});
