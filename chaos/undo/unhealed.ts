// What stands in the way of a run: something that a dead runner left, and that nobody has put right yet.

import { existsSync } from 'node:fs';
import { until } from '../clock.ts';
import { explained, LabError } from '../errors.ts';
import { leftOf } from '../host/left-behind.ts';
import { seeToItThatOwn, undoDirectory } from '../host/undo-log.ts';
import { isInProgress, readRecord, recordsIn, shown } from './record.ts';

/** For the watchdog of a runner that has just died. */
const healMsMax = 5000;

/** Throws when something is left of a run that is over, names it, and says what to type. Waits for whoever heals just now. */
export async function refuseUnhealed(records: string = undoDirectory, msMax: number = healMsMax): Promise<void> {
  if (!existsSync(records)) return;
  seeToItThatOwn(records);
  let left: string[] = [];
  await until(msMax, 100, async () => {
    left = (await Promise.all(recordsIn(records).map((name) => leftBy(records, name)))).flat();
    return left.length === 0 ? true : undefined;
  });
  if (left.length > 0)
    throw new LabError(`An earlier run has left something behind: ${left.join(', ')}. Type: npm run heal`);
}

async function leftBy(records: string, name: string): Promise<string[]> {
  try {
    const record = readRecord(records, name);
    if (isInProgress(record)) return [];
    const looks = await Promise.all(record.entries.map(({ entry }) => leftOf(entry)));
    return [...record.problems, ...looks.flat()].map(shown);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : [shown(explained(error))]; // gone meanwhile
  }
}
