// A thread that does nothing but wait for the next arrival and say so. Node's timers keep to whole milliseconds, which
// is too coarse for an instrument; Atomics.wait sleeps to the microsecond, but would block the thread that receives.

import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from '../clock.ts';
import { Due } from './due.ts';

/** `atMs`: when each arrival is due, in order, in milliseconds since `startAtUs` of the monotonic clock. */
export interface MetronomeData {
  readonly atMs: Float64Array;
  readonly startAtUs: number;
  /** `shared` of the receiver's. */
  readonly due: Int32Array<SharedArrayBuffer>;
}

const { atMs, startAtUs, due: shared } = workerData as MetronomeData;
const due = new Due(shared);
const nobodyNotifies = new Int32Array(new SharedArrayBuffer(4));
const say = (count: number) => {
  if (due.say(count)) parentPort?.postMessage(null);
};

for (const [i, dueMs] of atMs.entries()) {
  const waitMs = (startAtUs - monotonicUs()) / 1000 + dueMs;
  if (waitMs <= 0) continue;
  if (i > 0) say(i);
  Atomics.wait(nobodyNotifies, 0, 0, waitMs);
}
say(atMs.length);
