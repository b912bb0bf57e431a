// A thread that does nothing but wait for the next arrival and say so. Node's timers keep to whole milliseconds, which
// is too coarse for an instrument; Atomics.wait sleeps to the microsecond, but would block the thread that receives.

import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from './clock.ts';
import { type Arrival, arrivalsOf, type LoadPlan } from './load.ts';

const { plan, startAtUs } = workerData as { plan: LoadPlan; startAtUs: number };
const nobodyNotifies = new Int32Array(new SharedArrayBuffer(4));

let due: Arrival[] = [];
for (const arrival of arrivalsOf(plan)) {
  const waitMs = (startAtUs - monotonicUs()) / 1000 + arrival.atMs;
  if (waitMs > 0) {
    if (due.length > 0) parentPort?.postMessage(due);
    due = [];
    Atomics.wait(nobodyNotifies, 0, 0, waitMs);
  }
  due.push(arrival);
}
parentPort?.postMessage(due);
