// Failed calls to Redis by reason, over time, from the counts that were scraped of the faulted instances. When between
// two scrapes a call failed is not known, so failures are spread evenly over the time between them.

import { type History, isControl, type StoreErrorsEvent } from '../history.ts';
import type { Detours } from './lanes.ts';
import { binMs, binStart } from './timeline.ts';

/** Undefined when no faulted instance told. A bin may hold a part of a failure. */
export function storeErrorsLane(history: History, widthMs: number = binMs): Detours[] | undefined {
  const told = history.storeErrors.filter(({ instance }) => !isControl(history, instance));
  if (told.length === 0) return undefined;
  const bins = new Map<number, Map<string, number>>();
  for (const scrapes of Map.groupBy(told, ({ instance }) => instance).values()) {
    scrapes.forEach((scrape, i) => {
      const before = scrapes[i - 1];
      if (before) for (const failed of failedBetween(before, scrape)) spread(bins, widthMs, before, scrape, failed);
    });
  }
  return [...bins].sort(([a], [b]) => a - b).map(([startMs, reasons]) => ({ startMs, reasons }));
}

/** Calls that failed between two scrapes of one instance. A count that fell is that of a process started anew. */
function failedBetween(before: StoreErrorsEvent, scrape: StoreErrorsEvent): [reason: string, calls: number][] {
  return Object.entries(scrape.totals).flatMap(([reason, total]) => {
    const known = before.totals[reason] ?? 0;
    const calls = total < known ? total : total - known;
    return calls > 0 ? [[reason, calls]] : [];
  });
}

function spread(
  bins: Map<number, Map<string, number>>,
  widthMs: number,
  { atMs: fromMs }: StoreErrorsEvent,
  { atMs: toMs }: StoreErrorsEvent,
  [reason, calls]: readonly [string, number],
): void {
  for (let startMs = binStart(fromMs, widthMs); startMs < toMs; startMs += widthMs) {
    const overlapMs = Math.min(startMs + widthMs, toMs) - Math.max(startMs, fromMs);
    const reasons = bins.get(startMs) ?? new Map<string, number>();
    bins.set(startMs, reasons);
    reasons.set(reason, (reasons.get(reason) ?? 0) + (calls * overlapMs) / (toMs - fromMs));
  }
}
