// Reads an undo record. Between the run that wrote it and this moment anything may have happened to the file, so nothing
// in it is believed that is not one of the lab's own lines, and what is wrong is told by file and line.

import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ZodError } from 'zod';
import { LabError } from '../errors.ts';
import { holdsOpen, isSame, startOf } from '../host/process-identity.ts';
import { type RunnerLine, runnerLine, type UndoEntry, undoEntry } from '../host/undo-entry.ts';
import { recordId } from '../host/undo-log.ts';

/** More than a run ever writes: a line for each of some hundred processes. */
const bytesMax = 1_048_576;

export interface UndoRecord {
  readonly path: string;
  /** Its name without `.ndjson`, which is part of the names of what the run made. */
  readonly id: string;
  /** Undefined when the first line does not tell: then only the process id in the name is known. */
  readonly runner: RunnerLine | undefined;
  readonly runnerPid: number;
  /** In the order in which they were written, with the number of each line from 1. */
  readonly entries: readonly { readonly line: number; readonly entry: UndoEntry }[];
  /** Of lines that are none of the lab's. */
  readonly problems: readonly string[];
}

/** The names of the files there, in their order; `runnerPid`: of this runner's alone. */
export function recordsIn(directory: string, runnerPid?: number): string[] {
  const isWanted = (name: string) => runnerPid === undefined || name.startsWith(`${runnerPid}-`);
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.') && isWanted(name))
    .sort();
}

/** Throws when the file as a whole is no record. */
export function readRecord(directory: string, name: string): UndoRecord {
  const id = name.replace(/\.ndjson$/, '');
  const [, pid] = (id !== name && recordId.exec(id)) || [];
  if (pid === undefined)
    throw new LabError(`${shown(name)} is no record of the lab's: these are named PID-NUMBER.ndjson; left alone`);
  const path = join(directory, name);
  const lines = textOf(path).split('\n');
  lines.pop(); // nothing, or what was being written when the runner died
  const problems: string[] = [];
  const read = lines.map((text) => parsed(text));
  const runner = read[0]?.success ? runnerLine.safeParse(read[0].value) : undefined;
  const entries = read.flatMap((json, i) => {
    if (i === 0 && runner?.success) return [];
    const line = i + 1;
    const parse = json.success ? undoEntry.safeParse(json.value) : undefined;
    if (parse?.success) return [{ line, entry: parse.data }];
    problems.push(
      `${name}, line ${line}, is none of the lab's: ${parse ? firstOf(parse.error) : 'no JSON'}; left alone`,
    );
    return [];
  });
  return { path, id, runner: runner?.data, runnerPid: Number(pid), entries, problems };
}

/** Its runner lives: the process that wrote it, which also holds it open. */
export function isInProgress({ runner, runnerPid, path }: UndoRecord): boolean {
  const lives = runner ? isSame(runner.pid, runner.startedAt) : startOf(runnerPid) !== undefined;
  return lives && holdsOpen(runner?.pid ?? runnerPid, path) !== false;
}

/** Without the control characters that a terminal would heed. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}').slice(0, 300);
}

function textOf(path: string): string {
  const name = shown(basename(path));
  let fd: number;
  try {
    // Of a pipe that stands there nobody may be the writer: opening it must not wait.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    throw new LabError(`${name} is a link, and no record of the lab's; left alone`);
  }
  try {
    const is = fstatSync(fd);
    if (!is.isFile()) throw new LabError(`${name} is no file, and so no record of the lab's; left alone`);
    if (process.getuid && is.uid !== process.getuid())
      throw new LabError(`${name} belongs to another user (${is.uid}); left alone`);
    if (is.size > bytesMax)
      throw new LabError(`${name} has ${is.size} bytes; no record of the lab's has more than ${bytesMax}; left alone`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function parsed(text: string): { readonly success: true; readonly value: unknown } | { readonly success: false } {
  try {
    return { success: true, value: JSON.parse(text) };
  } catch {
    return { success: false };
  }
}

function firstOf({ issues }: ZodError): string {
  const [first] = issues;
  const at = first?.path.length ? `${first.path.join('.')}: ` : '';
  return shown(`${at}${first?.message}`);
}
