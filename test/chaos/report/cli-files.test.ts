// `npm run report` on directories that somebody else prepared: where it writes, and what reaches the terminal.

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HistoryEvent } from '../../../chaos/history.ts';
import { eventsOf } from '../../support/history-builder.ts';
import { run, temporaryDirectory } from '../../support/lab-processes.ts';
import { builtRun, linesOf, runWith } from '../../support/runs.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => temporary[Symbol.dispose]());

const left = ['events.ndjson', 'journal.json', 'junit.xml', 'report.html', 'summary.md'];

it.each(left.slice(1))('replaces a link %s, and leaves alone what it points to', async (name) => {
  const directory = builtRun(temporary.path, 'run');
  const elsewhere = join(temporary.path, 'precious');
  writeFileSync(elsewhere, 'precious');
  symlinkSync(elsewhere, join(directory, name));
  const { status } = await run(['chaos/report/main.ts', directory]);
  expect([status, readFileSync(elsewhere, 'utf8')]).toEqual([0, 'precious']);
  expect(readdirSync(directory).sort()).toEqual(left);
});

it('says in one line what cannot be replaced, and leaves no half of it', async () => {
  const directory = builtRun(temporary.path, 'run');
  mkdirSync(join(directory, 'summary.md'));
  const { status, stderr } = await run(['chaos/report/main.ts', directory]);
  expect([status, stderr.trimEnd().split('\n').length]).toEqual([255, 1]);
  expect(stderr).toContain(join(directory, 'summary.md'));
  expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
});

const hostile = '\u001b]0;owned\u0007\u009b2J\r\u202eevil\nPASS all is well';

it('lets no control character of a record through, to the terminal or into a file', async () => {
  const [head, ...rest] = eventsOf();
  const changed = { ...head, scenario: hostile, hypothesis: hostile, driver: hostile } as HistoryEvent;
  const directory = runWith(temporary.path, 'run', `${linesOf([changed, ...rest])}{"type":"${'\\u001b[31m'}"}\n`);
  const compared = await run(['chaos/report/main.ts', '--compare', directory, directory]);
  const { stdout, stderr } = await run(['chaos/report/main.ts', directory]);
  const texts = [
    stdout,
    stderr,
    compared.stdout,
    ...left.slice(2).map((name) => readFileSync(join(directory, name), 'utf8')),
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
  expect(texts.map((text) => controls.exec(text)?.[0])).toEqual(texts.map(() => undefined));
  expect(stdout.split('\n').filter((line) => line.startsWith('PASS'))).toEqual([]);
});
