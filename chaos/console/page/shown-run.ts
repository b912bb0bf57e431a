// The run that the page shows: what the server told of it, put together by the functions that draw the report.

import { type History, historyOf, type RunEvent } from '../../history.ts';
import type { AdmissionStep } from '../../report/admission-lane.ts';
import { type BreakerLane, breakerLanes } from '../../report/breaker-lane.ts';
import { storeErrorsLane } from '../../report/store-errors-lane.ts';
import { type Timeline, timelineOf } from '../../report/timeline.ts';
import type { LaneEvent, LiveBin, LivePoint, LiveUpdate } from '../messages.ts';

/** A longer run is shown through a window that moves. */
const windowMs = 60_000;

export class ShownRun {
  readonly run: RunEvent;
  readonly plannedMs: number;
  atMs = 0;
  bins: LiveBin[] = [];
  points: LivePoint[] = [];
  key = '';
  steps: AdmissionStep[] = [];
  timeline: Timeline;
  breakers: BreakerLane[] = [];
  /** Calls to Redis that failed, by the start of their bin and by reason. */
  storeErrors: ReadonlyMap<number, Readonly<Record<string, number>>> = new Map();
  history: History;
  readonly #events: LaneEvent[] = [];
  readonly #bins = new Map<number, LiveBin>();

  constructor(run: RunEvent, plannedMs: number) {
    this.run = run;
    this.plannedMs = plannedMs;
    this.history = historyOf([run]);
    this.timeline = timelineOf(this.history);
  }

  take({ atMs, events, bins, points, admissions }: LiveUpdate): void {
    this.atMs = Math.max(this.atMs, atMs);
    const { fromMs } = this.shown;
    this.#events.push(...events);
    for (const bin of bins) this.#bins.set(bin.startMs, bin);
    for (const startMs of this.#bins.keys()) if (startMs < fromMs - 1000) this.#bins.delete(startMs);
    this.bins = [...this.#bins.values()].sort((a, b) => a.startMs - b.startMs);
    this.points = [...this.points, ...points].filter((point) => point.atMs >= fromMs);
    if (admissions) {
      this.key = admissions.key;
      this.steps = admissions.all ? [...admissions.steps] : [...this.steps, ...admissions.steps];
    }
    const history = historyOf([this.run, ...this.#events]);
    const last = history.phases.at(-1);
    const phases = last && !history.complete ? history.phases.with(-1, { ...last, endMs: this.atMs }) : history.phases;
    this.history = { ...history, phases, answers: [] };
    this.timeline = timelineOf(this.history);
    this.breakers = breakerLanes(history, 0, this.atMs);
    const failed = storeErrorsLane(history) ?? [];
    this.storeErrors = new Map(failed.map(({ startMs, reasons }) => [startMs, Object.fromEntries(reasons)]));
  }

  /** The stretch of time that the charts show. */
  get shown(): { fromMs: number; toMs: number } {
    const fromMs = this.plannedMs <= windowMs ? 0 : Math.max(0, this.atMs - windowMs);
    return { fromMs, toMs: fromMs + Math.min(this.plannedMs, windowMs) };
  }

  get phase(): string {
    return this.history.complete ? 'end' : (this.history.phases.at(-1)?.name ?? 'warm-up');
  }

  /** The faults that are in place now, with their targets. */
  get inPlace(): string[] {
    return this.timeline.faults
      .filter(({ healed }) => !healed)
      .map(({ fault, targets }) => `${fault} on ${targets.join(', ')}`);
  }
}

/** The worst of some bins, in ms: infinite where too many requests had no answer; null where nothing was measured. */
export function worstOf(bins: readonly LiveBin[], of: 'p99' | 'controlP99'): number | null {
  const never = (bin: LiveBin) => (of === 'p99' && bin.requests > 0 ? Number.POSITIVE_INFINITY : null);
  const known = bins.map((bin) => bin[of] ?? never(bin)).filter((p99) => p99 !== null);
  return known.length === 0 ? null : Math.max(...known);
}
