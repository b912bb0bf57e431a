// Files below a directory that others can write to, as `runs/` may be: nothing is read or written through a link, nobody
// waits for a pipe, and whoever reads meanwhile sees the old file or the new one, never a half.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LabError, UsageError } from '../errors.ts';

/** A descriptor to read from. Throws when there is no such file, or when it is no regular one. */
export function openFile(path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new LabError(`${path} is a link; a run's files are none`);
    if (code === 'ENXIO') throw new LabError(`${path} is no regular file`); // a socket
    throw error;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new LabError(`${path} is no regular file`);
}

/** Undefined when there is no such file, when it is no regular one, or when it is larger than `bytesMax`. */
export function readIfFile(path: string, bytesMax: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = openFile(path);
    return fstatSync(fd).size > bytesMax ? undefined : readFileSync(fd, 'utf8');
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Of the path itself, not of what it may lead to. */
export function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

export function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Makes it and all above it. Throws what the file system says. Node's own `recursive` tries for ever where a directory says
 * that what is to be made in it is not there, as /proc does.
 */
export function makeDirectory(path: string): void {
  if (isDirectoryAt(path)) return;
  try {
    makeOne(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    makeOne(path);
  }
}

/** What the file system says of a place where nobody can make a directory. */
const impossible: ReadonlySet<string | undefined> = new Set([
  ...['EACCES', 'EEXIST', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS'],
]);

/** What `make` makes in the directory `out`. A place where nothing can be made is the caller's mistake: a `UsageError`. */
export function asOutput<T>(out: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!impossible.has(code)) throw error;
    throw new UsageError(`--out is "${out}"; allowed: a directory, or where one can be made. ${message}.`);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isDirectoryAt(path)) throw error; // else somebody made it meanwhile
  }
}

function isDirectoryAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Takes the place of whatever has that name; a link is replaced, not followed. Throws what the file system says. */
export function replaceFile(path: string, text: string): void {
  replace(path, (fresh) => writeFileSync(fresh, text, { flag: 'wx' }));
}

/** Points a link elsewhere, in one step. Throws when the path is there and is no link. */
export function replaceLink(path: string, target: string): void {
  mustBeReplaceable(path);
  replace(path, (fresh) => symlinkSync(target, fresh));
}

/** Throws a `UsageError` when the path is there and is no link. */
export function mustBeReplaceable(path: string): void {
  const isOther = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === false;
  if (isOther) throw new UsageError(`${path} is no link, so it is left alone; move it away`);
}

function replace(path: string, make: (fresh: string) => void): void {
  const fresh = join(dirname(path), `.${basename(path)}-${randomBytes(8).toString('hex')}`);
  try {
    make(fresh);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
