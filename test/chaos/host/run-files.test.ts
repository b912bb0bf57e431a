import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeDirectory } from '../../../chaos/host/run-files.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

it('a directory is made with all above it, and may be there already', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'a', 'b', 'c');
  for (const _ of ['made', 'there']) {
    makeDirectory(path);
    expect(statSync(path).isDirectory()).toBe(true);
  }
});

it('a directory that cannot be made is told with why', () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'file');
  writeFileSync(file, '');
  expect(() => makeDirectory(file)).toThrow('EEXIST');
  expect(() => makeDirectory(join(file, 'a'))).toThrow('ENOTDIR');
});
