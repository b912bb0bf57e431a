// Latency at a given rate: open loop, from the time at which each request was due.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { within } from '../../chaos/clock.ts';
import { LabError } from '../../chaos/errors.ts';
import type { Latencies } from '../../chaos/report/summary.ts';

export interface Load {
  readonly url: string;
  /** Header that carries the key, one of 10,000. */
  readonly keyHeader: string;
  /** Requests per second. */
  readonly rate: number;
  readonly seconds: number;
  /** The same seed, the same schedule. */
  readonly seed: number;
}

export interface LatencyRun {
  readonly latencyMs: Latencies;
  /** How far the sender was behind its schedule, 99th percentile. */
  readonly lagMsP99: number;
  readonly answers: number;
  /** Answers that the fallback gave. */
  readonly fallback: number;
}

/** How long after the end of the schedule the last answer may come, preparations included. */
const overdueMsMax = 15_000;

/**
 * Sends the load; its first second comes on top and does not count.
 * @throws {LabError} if this machine cannot send and answer as many; {Error} at the first answer that is not 200.
 */
export async function latencyAt(load: Load, signal: AbortSignal): Promise<LatencyRun> {
  const thread = new Worker(new URL('./load-thread.ts', import.meta.url), { workerData: load });
  try {
    const [run] = await within(
      load.seconds * 1000 + overdueMsMax,
      once(thread, 'message', { signal }),
      () => new LabError(`This machine cannot send and answer ${load.rate} requests/s beside each other.`),
    );
    return run as LatencyRun;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await thread.terminate();
  }
}
