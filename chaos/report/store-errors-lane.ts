// Failed calls to Redis by reason, over time, from the counts that were scraped of the faulted instances. When between
// two scrapes a call failed is not known, so failures are spread evenly over the time between them; where a fault was put
// on meanwhile, over the rest of it, since they are its consequence:
//
//   scrape ────────── inject ▒▒▒▒▒▒▒▒ scrape

import { type History, isControl, type StoreErrorsEvent } from '../history.ts';
import type { Detours } from './lanes.ts';
import { binMs, binStart, type FaultWindow, windowsOf } from './timeline.ts';

/** Undefined when no faulted instance told. A bin may hold a part of a failure. */
export function storeErrorsLane(history: History, widthMs: number = binMs): Detours[] | undefined {
  const scrapesOfAll = history.storeErrors.filter(({ instance }) => !isControl(history, instance));
  if (scrapesOfAll.length === 0) return undefined;
  const bins = new Map<number, Map<string, number>>();
  for (const [instance, scrapes] of Map.groupBy(scrapesOfAll, ({ instance }) => instance)) {
    const windows = faultsOf(history, instance);
    scrapes.forEach((scrape, i) => {
      const before = scrapes[i - 1];
      if (!before) return;
      const fromMs = causeIn(windows, before.atMs, scrape.atMs);
      for (const failed of failedBetween(before, scrape)) spread(bins, widthMs, fromMs, scrape.atMs, failed);
    });
  }
  return [...bins].sort(([a], [b]) => a - b).map(([startMs, reasons]) => ({ startMs, reasons }));
}

/** When which fault was in place that hits the instance: its own, or one of what all share. */
function faultsOf({ run, faults }: History, instance: string): FaultWindow[] {
  const others = run.instances.map(({ name }) => name).filter((name) => name !== instance);
  return windowsOf(
    faults.filter(({ target }) => !others.includes(target)),
    Number.POSITIVE_INFINITY,
  );
}

/** The first injection between two scrapes; the first scrape, where there is none, or where a fault was in place then. */
function causeIn(windows: readonly FaultWindow[], fromMs: number, toMs: number): number {
  if (windows.some(({ startMs, endMs }) => startMs <= fromMs && fromMs < endMs)) return fromMs;
  const injectionsMs = windows.map(({ startMs }) => startMs).filter((atMs) => atMs > fromMs && atMs < toMs);
  return injectionsMs.length > 0 ? Math.min(...injectionsMs) : fromMs;
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
  fromMs: number,
  toMs: number,
  [reason, calls]: readonly [string, number],
): void {
  for (let startMs = binStart(fromMs, widthMs); startMs < toMs; startMs += widthMs) {
    const overlapMs = Math.min(startMs + widthMs, toMs) - Math.max(startMs, fromMs);
    const reasons = bins.get(startMs) ?? new Map<string, number>();
    bins.set(startMs, reasons);
    reasons.set(reason, (reasons.get(reason) ?? 0) + (calls * overlapMs) / (toMs - fromMs));
  }
}
