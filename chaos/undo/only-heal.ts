// One heal at a time: of two at once each would find half done what the other is at, and call it a failure.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../clock.ts';
import { LabError } from '../errors.ts';
import { isSame, startOf } from '../host/process-identity.ts';

const waitMsMax = 60_000;
/** A lock is written in one go: one that is empty for longer belongs to a process that died just then. */
const emptyMsMax = 2000;

/** Waits for the heal that is at work in the directory. Disposing of it lets the next one in. */
export async function onlyHeal(directory: string): Promise<AsyncDisposable> {
  const lock = join(directory, '.heal');
  const mine = `${process.pid} ${startOf(process.pid) ?? ''}`;
  const taken = await until(waitMsMax, 50, async () => {
    if (isLeftBehind(lock)) rmSync(lock, { force: true });
    try {
      writeFileSync(lock, mine, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    }
  });
  if (!taken) throw new LabError(`another heal has been at work for ${waitMsMax / 1000} s: ${lock}`);
  return { [Symbol.asyncDispose]: async () => rmSync(lock, { force: true }) };
}

function isLeftBehind(lock: string): boolean {
  const is = statSync(lock, { throwIfNoEntry: false });
  if (!is) return false;
  try {
    const [, pid = '', startedAt = ''] = /^(\d+) (.*)$/.exec(readFileSync(lock, 'utf8')) ?? [];
    return pid === '' ? Date.now() - is.mtimeMs > emptyMsMax : !isSame(Number(pid), startedAt);
  } catch {
    return false; // gone meanwhile
  }
}
