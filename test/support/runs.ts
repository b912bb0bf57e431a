// Directories as a run leaves them, from histories that are built, for tests of what shows them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from '../../chaos/history.ts';
import { eventsOf, type HistorySpec } from './history-builder.ts';
import { storeErrors } from './history-events.ts';

/** Latencies that differ a little, as real ones do. */
const lively = (i: number): number => 1 + ((i * 7919) % 97) / 60;

/** A run for each verdict. */
export const specs = {
  pass: {
    phases: { baseline: { latencyMs: lively }, fault: { latencyMs: lively }, recovered: { latencyMs: lively } },
    storeErrors: [500, 1500, 2500, 3500, 4500, 5500, 6500].flatMap((atMs, i) => [
      storeErrors('limiter-1', atMs, i === 0 ? {} : { timeout: 2 + i, disconnected: Math.max(0, i - 3) }),
      storeErrors('limiter-2', atMs + 100, i === 0 ? {} : { timeout: 3 }),
      storeErrors('limiter-control', atMs + 200, { timeout: 100 * i }),
    ]),
  },
  fail: {
    phases: {
      onset: { latencyMs: (i: number) => (i % 5 ? lively(i) : 900 + i), status: (i: number) => (i % 40 ? 200 : 503) },
      fault: { status: (i: number) => (i % 200 === 7 ? 0 : 200) },
    },
  },
  unknown: { phases: { baseline: { latencyMs: 12, controlLatencyMs: 12 } }, probes: [] },
} as const satisfies Record<string, HistorySpec>;

export function linesOf(events: readonly HistoryEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

/** Writes events.ndjson into a new directory and returns the directory. */
export function runWith(parent: string, name: string, text: string): string {
  const directory = join(parent, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'events.ndjson'), text);
  return directory;
}

export function builtRun(parent: string, name: string, spec: HistorySpec = {}): string {
  return runWith(parent, name, linesOf(eventsOf(spec)));
}
