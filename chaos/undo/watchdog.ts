// Heals what a run leaves when its runner is killed, with nobody there to type anything.
//
//   runner ═══ a pipe, of which it alone holds this end ═══▶ watchdog ── once it is closed ──▶ heal
//
// The kernel closes the pipe when the runner ends, whatever ends it. The watchdog is in a session of its own, so that what
// kills the runner's process group, or closes its terminal, does not reach it. It holds no record open and stands in none:
// it is nothing that a run leaves behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LabError } from '../errors.ts';
import { undoDirectory } from '../host/undo-log.ts';

/** Until it is disposed of: then it looks whether the records of this process are gone, heals what is not in use, and ends. */
export async function startWatchdog(records: string = undoDirectory): Promise<Disposable> {
  const args = [join(import.meta.dirname, 'watchdog-process.js'), records, String(process.pid)];
  const watchdog = spawn(process.execPath, args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watchdog.unref();
  await once(watchdog, 'spawn').catch((error: Error) => {
    throw new LabError(`The run's watchdog cannot be started: ${error.message}`);
  });
  const { stdin } = watchdog;
  stdin.on('error', () => {}); // somebody has ended it: the run goes on, and `npm run heal` is still there
  (stdin as typeof stdin & { unref(): void }).unref();
  return { [Symbol.dispose]: () => stdin.destroy() };
}
