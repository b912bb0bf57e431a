// The logs of a run that has ended, cut to a length that a disk and an editor bear. The parts write theirs themselves, so
// that neither the lab nor the generator of the load pays for what a target says: until the end nothing bounds them.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const bytesMaxDefault = 16 * 2 ** 20;

/** Each file of the directory keeps the first and the last half of so many bytes. What cannot be cut stays whole. */
export function boundLogs(directory: string, bytesMax: number = bytesMaxDefault): void {
  if (!existsSync(directory)) return; // somebody has taken it away
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      bound(join(directory, entry.name), bytesMax);
    } catch {}
  }
}

function bound(log: string, bytesMax: number): void {
  const fd = openSync(log, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(fd);
    if (size <= bytesMax) return;
    const half = Math.floor(bytesMax / 2);
    const end = Buffer.alloc(half);
    const read = readSync(fd, end, 0, half, size - half);
    const rest = Buffer.concat([
      Buffer.from(`\n… ${size - half - read} bytes are left out here …\n`),
      end.subarray(0, read),
    ]);
    writeSync(fd, rest, 0, rest.length, half);
    ftruncateSync(fd, half + rest.length);
  } finally {
    closeSync(fd);
  }
}
