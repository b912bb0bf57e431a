// The clock of a program that the lab starts, which the lab sets: a library that a C compiler makes of clock.c, and a file
// with the page that is described there.

import { execFile, execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProgramClock } from '../environment.ts';
import { LabError } from '../errors.ts';

const run = promisify(execFile);
const compiler = 'cc';
const nsPerSecond = 1_000_000_000n;

/** Where the page has what, in bytes. */
const settingAt = [8, 40] as const;
const gainedAt = 72;
const pageBytes = 80;

export interface SettableClock extends ProgramClock {
  /** Variables with which the program is started. */
  readonly env: Readonly<Record<string, string>>;
}

/** Why there can be none on this machine; undefined when there can. */
export function noClockBecause(): string | undefined {
  if (process.platform !== 'linux') return 'only a clock on Linux can be set';
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `there is no C compiler: ${compiler}`;
  }
}

/** In a directory of the run's own; `name` is of its files there. */
export async function settableClock(directory: string, name: string): Promise<SettableClock> {
  const library = join(directory, `${name}-clock.so`);
  const source = join(import.meta.dirname, 'clock.c');
  await run(compiler, ['-shared', '-fPIC', '-O2', '-o', library, source]).catch((error: Error) => {
    throw new LabError(`${compiler} cannot make a clock that can be set: ${error.message.trim()}`);
  });
  const file = join(directory, `${name}-clock`);
  await writeFile(file, Buffer.alloc(pageBytes));
  const setting = { aheadNs: 0n, beforeNs: 0n, ppb: 0n, sinceNs: 0n };
  let used = 0;
  const change = (changes: Partial<typeof setting>) => {
    Object.assign(setting, changes);
    used = 1 - used;
    const { aheadNs, beforeNs, ppb, sinceNs } = setting;
    write(file, settingAt[used] as number, aheadNs, beforeNs, ppb, sinceNs);
    write(file, 0, BigInt(used));
  };
  return {
    env: { LD_PRELOAD: library, FAILOPEN_CLOCK: file },
    setAhead: async (seconds) => change({ aheadNs: BigInt(seconds) * nsPerSecond }),
    async setDrift(ppm) {
      const sinceNs = process.hrtime.bigint(); // the machine's monotonic clock, as in clock.c
      const gainedNs = ((sinceNs - setting.sinceNs) * setting.ppb) / nsPerSecond;
      change({ beforeNs: setting.beforeNs + gainedNs, ppb: BigInt(ppm) * 1000n, sinceNs });
    },
    gainedMs: () => Number(read(file, gainedAt)) / 1e6,
  };
}

/** In place: the program reads the file's own page. */
function write(file: string, at: number, ...numbers: readonly bigint[]): void {
  const bytes = Buffer.alloc(8 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeBigInt64LE(number, 8 * i);
  withOpen(file, 'r+', (fd) => writeSync(fd, bytes, 0, bytes.length, at));
}

function read(file: string, at: number): bigint {
  const bytes = Buffer.alloc(8);
  withOpen(file, 'r', (fd) => readSync(fd, bytes, 0, bytes.length, at));
  return bytes.readBigInt64LE();
}

function withOpen(file: string, flags: string, use: (fd: number) => unknown): void {
  const fd = openSync(file, flags);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
