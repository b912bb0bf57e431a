// The lanes of a run while it lasts, by the same functions that draw the report, computed anew only where something was
// added. What is sent is little: bins that changed, a sample of points, and every event but the answers.

import { giveUpMs } from '../failure.ts';
import type { AnswerEvent, BreakerEvent, HistoryEvent, RunEvent } from '../history.ts';
import { Admissions } from '../report/admission-lane.ts';
import { breakerLanes } from '../report/breaker-lane.ts';
import { detoursOf, pointsOf, tally } from '../report/lanes.ts';
import { binMs, binStart } from '../report/timeline.ts';
import type { LaneEvent, LiveBin, LivePoint, LiveUpdate } from './messages.ts';

/** Answers are kept this long for bins that may still change. */
const openMs = giveUpMs + 2000;
/** How much of a long session is told to somebody who begins to look. */
const windowMs = 90_000;
const pointsMax = { faulted: 40, control: 15 };

interface OpenBin {
  readonly faulted: AnswerEvent[];
  readonly control: AnswerEvent[];
}

export class LiveRun {
  readonly #run: RunEvent;
  readonly #plannedMs: number;
  readonly #controls: ReadonlySet<string>;
  readonly #admissions: Admissions;
  readonly #open = new Map<number, OpenBin>();
  readonly #changed = new Set<number>();
  readonly #events: LaneEvent[] = [];
  readonly #breaker: BreakerEvent[] = [];
  readonly #bins = new Map<number, LiveBin>();
  #points: LivePoint[] = [];
  #told = { events: 0, key: '', steps: 0 };
  #fresh: OpenBin = { faulted: [], control: [] };
  #atMs = 0;

  constructor(run: RunEvent, plannedMs: number) {
    this.#run = run;
    this.#plannedMs = plannedMs;
    this.#controls = new Set(run.instances.filter(({ control }) => control).map(({ name }) => name));
    this.#admissions = new Admissions(run);
  }

  take(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      if (event.type === 'answer') this.#answered(event);
      else if (event.type !== 'run') {
        this.#events.push(event);
        if (event.type === 'fault' || event.type === 'placement') this.#admissions.learn(event);
        if (event.type === 'breaker') this.#moved(event);
      }
    }
  }

  /** What is new since the last time. */
  update(): LiveUpdate {
    const bins = this.#computeChanged();
    const points = (['control', 'faulted'] as const).flatMap((arm) =>
      pointsOf(this.#fresh[arm], pointsMax[arm]).points.map((point) =>
        finite({ ...point, control: arm === 'control' }),
      ),
    );
    this.#fresh = { faulted: [], control: [] };
    this.#points = [...this.#points, ...points].filter(({ atMs }) => atMs >= this.#atMs - windowMs);
    const events = this.#events.slice(this.#told.events);
    this.#told.events = this.#events.length;
    return { atMs: this.#atMs, events, bins, points, admissions: this.#newAdmissions() };
  }

  /** Everything that has been told by `update`, for somebody who begins to look. */
  everything(): LiveUpdate {
    const lane = this.#admissions.lane;
    return {
      run: this.#run,
      plannedMs: this.#plannedMs,
      atMs: this.#atMs,
      events: this.#events.slice(0, this.#told.events),
      bins: [...this.#bins.values()].filter(({ startMs }) => startMs >= this.#atMs - windowMs),
      points: this.#points,
      admissions: lane ? { key: lane.key, all: true, steps: lane.steps } : null,
    };
  }

  #answered(answer: AnswerEvent): void {
    const { scheduledMs, instance } = answer;
    this.#atMs = Math.max(this.#atMs, scheduledMs);
    const startMs = binStart(scheduledMs);
    if (startMs < this.#atMs - openMs) return;
    const arm = this.#controls.has(instance) ? 'control' : 'faulted';
    const bin = this.#open.get(startMs) ?? { faulted: [], control: [] };
    this.#open.set(startMs, bin);
    bin[arm].push(answer);
    this.#fresh[arm].push(answer);
    this.#changed.add(startMs);
    if (arm === 'faulted') this.#admissions.enter(answer);
  }

  /** It is told up to half a second late, so what was reasoned from the state before is reasoned anew. */
  #moved(move: BreakerEvent): void {
    this.#breaker.push(move);
    this.#breaker.sort((a, b) => a.atMs - b.atMs);
    for (const startMs of this.#open.keys()) if (startMs + binMs > move.atMs) this.#changed.add(startMs);
  }

  #computeChanged(): LiveBin[] {
    const lanes = breakerLanes({ run: this.#run, breaker: this.#breaker }, 0, this.#atMs);
    const bins = [...this.#changed].map((startMs): LiveBin => {
      const { faulted, control } = this.#open.get(startMs) ?? { faulted: [], control: [] };
      const { requests, latencyMs, outcomes } = tally(faulted);
      const reasons = detoursOf(faulted, lanes)[0]?.reasons ?? [];
      return {
        startMs,
        requests,
        p50: latencyMs.p50,
        p99: latencyMs.p99,
        controlP99: tally(control).latencyMs.p99,
        outcomes,
        detours: Object.fromEntries(reasons),
      };
    });
    this.#changed.clear();
    for (const bin of bins) this.#bins.set(bin.startMs, bin);
    for (const startMs of this.#open.keys()) if (startMs < this.#atMs - openMs) this.#open.delete(startMs);
    for (const startMs of this.#bins.keys()) if (startMs < this.#atMs - windowMs) this.#bins.delete(startMs);
    return bins;
  }

  #newAdmissions(): LiveUpdate['admissions'] {
    const lane = this.#admissions.lane;
    if (!lane) return null;
    const all = lane.key !== this.#told.key;
    const steps = all ? lane.steps : lane.steps.slice(this.#told.steps);
    this.#told = { ...this.#told, key: lane.key, steps: lane.steps.length };
    return { key: lane.key, all, steps };
  }
}

/** JSON knows no infinity: an answer that never came is as late as a client waits. */
function finite(point: LivePoint): LivePoint {
  return Number.isFinite(point.latencyMs) ? point : { ...point, latencyMs: giveUpMs };
}
