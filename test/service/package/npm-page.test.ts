// The page of the package on npmjs.com, where no link leads to a file beside it.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pageForNpm, putPage } from '../../../service/package/npm-page.ts';
import { targetsOf } from '../../docs/links.ts';
import { projectDirectory, temporaryDirectory } from '../../support/lab-processes.ts';

it('has links to other sites and within itself, and names files that are packed', () => {
  expect(pageForNpm('[a](../README.md#x), [b](https://b.example/c#d), [e](#e) and [f](SWITCHING.md)')).toBe(
    'a (`service/README.md`), [b](https://b.example/c#d), [e](#e) and f (`service/package/SWITCHING.md`)',
  );
  const page = pageForNpm(readFileSync(join(projectDirectory, 'service/package/README.md'), 'utf8'));
  expect(targetsOf(page).filter((target) => !/^(https:|#)/.test(target))).toEqual([]);
  const { files } = JSON.parse(readFileSync(join(projectDirectory, 'package.json'), 'utf8'));
  const named = [...page.matchAll(/\(`([^`]+\.md)`\)/g)].map(([, file]) => file as string);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((file) => !files.includes(file))).toEqual([]);
});

it('stands in the place of README.md, which is kept, also after a packing that was interrupted', () => {
  using directory = temporaryDirectory();
  const file = (name: string) => join(directory.path, name);
  const textOf = (name: string) => readFileSync(file(name), 'utf8');
  mkdirSync(file('service/package'), { recursive: true });
  writeFileSync(file('service/package/README.md'), '[page](x.md)');
  writeFileSync(file('README.md'), 'of the project');
  for (const _ of ['once', 'after an interruption']) {
    putPage(directory.path);
    expect([textOf('README.md'), textOf('.README.md')]).toEqual(['page (`service/package/x.md`)', 'of the project']);
  }
  writeFileSync(file('README.md'), 'of the project, newer'); // put right by hand, and changed
  putPage(directory.path);
  expect([textOf('README.md'), textOf('.README.md')]).toEqual([
    'page (`service/package/x.md`)',
    'of the project, newer',
  ]);
  renameSync(file('.README.md'), file('README.md'));
  expect(textOf('README.md')).toBe('of the project, newer');
});
