// Writes what a run leaves beside its events: everything here can be made again from them.

import { join } from 'node:path';
import { replaceFile } from '../host/run-files.ts';
import { type Journal, journalOf } from './journal.ts';
import { junitOf } from './junit.ts';
import { reportOf } from './page/report.ts';
import type { Run } from './run.ts';
import { summaryMdOf } from './summary-md.ts';

/** The journal first, since the others only show it. Throws what the file system says. */
export function leave(directory: string, run: Run): Journal {
  const journal = journalOf(run.history, run.checks, run.endedAt);
  const write = (name: string, text: string) => replaceFile(join(directory, name), text);
  write('journal.json', `${JSON.stringify(journal, null, 2)}\n`);
  write('junit.xml', junitOf(run, journal));
  write('summary.md', summaryMdOf(run, journal));
  write('report.html', reportOf(run, journal));
  return journal;
}
