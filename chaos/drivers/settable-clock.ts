// The clock of a program that the lab starts, which the lab sets: a library that a C compiler makes of clock.c, and a file
// that says how far the clock is ahead.

import { execFile, execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LabError } from '../errors.ts';

const run = promisify(execFile);
const compiler = 'cc';
const nsPerSecond = 1_000_000_000n;

export interface SettableClock {
  /** Variables with which the program is started. */
  readonly env: Readonly<Record<string, string>>;
  /** By so many whole seconds the program's clock is ahead of the machine's from now on. */
  setAhead(seconds: number): Promise<void>;
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
  const file = join(directory, `${name}-clock-ahead`);
  await writeFile(file, nanoseconds(0));
  return {
    env: { LD_PRELOAD: library, FAILOPEN_CLOCK: file },
    setAhead: (seconds) => writeFile(file, nanoseconds(seconds), { flag: 'r+' }), // in place: the program reads it there
  };
}

function nanoseconds(seconds: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(seconds) * nsPerSecond);
  return bytes;
}
