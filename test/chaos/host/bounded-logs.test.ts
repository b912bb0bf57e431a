import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { boundLogs } from '../../../chaos/host/bounded-logs.ts';
import { Recorder } from '../../../chaos/watch/recorder.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

it('a log that is too long keeps its beginning and its end, and says what is missing between them', () => {
  using directory = temporaryDirectory();
  const log = join(directory.path, 'limiter-1.log');
  writeFileSync(log, `begin${'x'.repeat(990)}end\n`);
  boundLogs(directory.path, 20);
  const text = 'beginxxxxx\n… 979 bytes are left out here …\nxxxxxxend\n';
  expect(readFileSync(log, 'utf8')).toBe(text);
  boundLogs(directory.path, text.length + 10);
  expect(readFileSync(log, 'utf8')).toBe(text);
});

it('what is no log is left alone', () => {
  using directory = temporaryDirectory();
  const logs = join(directory.path, 'logs');
  mkdirSync(join(logs, 'directory'), { recursive: true });
  writeFileSync(join(directory.path, 'elsewhere'), 'x'.repeat(1000));
  symlinkSync('../elsewhere', join(logs, 'link'));
  boundLogs(logs, 20);
  expect(readFileSync(join(directory.path, 'elsewhere'), 'utf8')).toBe('x'.repeat(1000));
});

it('the logs of a run that has ended have some 16 MiB each at most, whatever a part said', () => {
  using directory = temporaryDirectory();
  const recorder = new Recorder(directory.path, 'partition', 1, new Date(), () => {});
  const log = join(recorder.logs, 'limiter-1.log');
  writeFileSync(log, Buffer.alloc(100 * 2 ** 20, 'x\n'));
  recorder[Symbol.dispose]();
  expect(readFileSync(log).length / 2 ** 20).toBeCloseTo(16, 3);
});
