// A thread that does nothing but wait for the next arrival and say so. Node's timers keep to whole milliseconds, which
// is too coarse for an instrument; Atomics.wait sleeps to the microsecond, but would block the thread that receives.
// It says no more than how many are due by now: a number costs the receiver least.

import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from './clock.ts';

/** `atMs`: when each arrival is due, in order, in milliseconds since `startAtUs` of the monotonic clock. */
export interface MetronomeData {
  readonly atMs: Float64Array;
  readonly startAtUs: number;
}

const { atMs, startAtUs } = workerData as MetronomeData;
const nobodyNotifies = new Int32Array(new SharedArrayBuffer(4));

for (const [i, dueMs] of atMs.entries()) {
  const waitMs = (startAtUs - monotonicUs()) / 1000 + dueMs;
  if (waitMs <= 0) continue;
  if (i > 0) parentPort?.postMessage(i);
  Atomics.wait(nobodyNotifies, 0, 0, waitMs);
}
parentPort?.postMessage(atMs.length);
