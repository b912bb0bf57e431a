// A thread that does nothing but wait for the next arrival and say so. Node's timers keep to whole milliseconds, which
// is too coarse for an instrument; Atomics.wait sleeps to the microsecond, but would block the thread that receives.

import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from '../clock.ts';
import { Due } from './due.ts';
import { arrivalsOf, type Schedule } from './load.ts';

/** The arrivals of the schedule are due from `startAtUs` of the monotonic clock on. */
export interface MetronomeData {
  readonly schedule: Schedule;
  /** What is due in the same millisecond is said at its end. */
  readonly inWholeMs: boolean;
  readonly startAtUs: number;
  /** `shared` of the receiver's. */
  readonly due: Int32Array<SharedArrayBuffer>;
}

const { schedule, inWholeMs, startAtUs, due: shared } = workerData as MetronomeData;
const due = new Due(shared);
const nobodyNotifies = new Int32Array(new SharedArrayBuffer(4));
const say = (count: number) => {
  if (due.say(count)) parentPort?.postMessage(null);
};

let count = 0;
for (const { atMs } of arrivalsOf(schedule)) {
  const waitMs = (startAtUs - monotonicUs()) / 1000 + (inWholeMs ? Math.ceil(atMs) : atMs);
  if (waitMs > 0) {
    if (count > 0) say(count);
    Atomics.wait(nobodyNotifies, 0, 0, waitMs);
  }
  count++;
}
say(count);
