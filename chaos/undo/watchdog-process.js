// The watchdog's own process, given the directory of the undo records and the id of the runner. It sleeps in a read of its
// standard input until the runner has ended, in whatever way, and puts right what that left.
//
// Until then it costs no time of a processor, and before that little: to strip types would take longer than all that is
// done here, and what it heals with is loaded only when there is something to heal.

import { readdirSync, readSync } from 'node:fs';

const [records = '', runnerPid = ''] = process.argv.slice(2);
readSync(0, Buffer.alloc(1)); // returns when nobody is left who could write
if (readdirSync(records).some((name) => name.startsWith(`${runnerPid}-`))) {
  const { heal } = await import('./healing.ts');
  await heal({ records }, Number(runnerPid)); // what it cannot put right stays in the record, for the next run to name
}
