// Puts right what dead runners left, record by record. Whatever is wrong with one of them, or cannot be put right, is told
// in one line and stops no other; its record is kept for the next time.

import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { targetDirectory } from '../drivers/lab-target.ts';
import { explained } from '../errors.ts';
import { seeToItThatOwn, undoDirectory } from '../host/undo-log.ts';
import { onlyHeal } from './only-heal.ts';
import { isInProgress, readRecord, recordsIn, shown, type UndoRecord } from './record.ts';
import { type Places, undo, undoUnnoted } from './undo.ts';

export interface Healing {
  /** One line for each thing that was done, or left alone for a good reason. */
  readonly done: readonly string[];
  /** One line for each thing that is still to be put right. */
  readonly problems: readonly string[];
}

const usualPlaces: Places = { records: undoDirectory, temporary: tmpdir(), targets: targetDirectory };

/**
 * `runnerPid`: puts right what this runner left, and nothing else. Throws when the directory of the records is not the
 * lab's own, or another heal does not come to its end.
 */
export async function heal(changes: Partial<Places> = {}, runnerPid?: number): Promise<Healing> {
  const places = { ...usualPlaces, ...changes };
  const done: string[] = [];
  const problems: string[] = [];
  if (!existsSync(places.records)) return { done, problems };
  seeToItThatOwn(places.records);
  await using _alone = await onlyHeal(places.records);
  for (const name of recordsIn(places.records, runnerPid)) {
    try {
      const record = readRecord(places.records, name);
      const healed = await healRecord(record, name, places);
      done.push(...healed.done);
      problems.push(...healed.problems);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue; // its run has just come to its end
      problems.push(explained(error));
    }
  }
  return { done, problems };
}

async function healRecord(record: UndoRecord, name: string, places: Places): Promise<Healing> {
  if (isInProgress(record))
    return { done: [`A run is in progress (process ${record.runnerPid}); left alone.`], problems: [] };
  const done: string[] = [];
  const problems = [...record.problems];
  const attempt = async ({ line, entry }: UndoRecord['entries'][number]) => {
    try {
      done.push(...(await undo(entry, record, places)));
    } catch (error) {
      problems.push(`${name}, line ${line}: ${shown(explained(error))}`);
    }
  };
  const isProcess = ({ entry }: (typeof record.entries)[number]) => entry.kind === 'process';
  await Promise.all(record.entries.filter(isProcess).map(attempt)); // at once, since each may take its time to end
  done.push(...(await undoUnnoted(record)));
  for (const other of record.entries.filter((it) => !isProcess(it)).toReversed()) await attempt(other);
  if (problems.length === 0) rmSync(record.path, { force: true });
  return { done, problems };
}
