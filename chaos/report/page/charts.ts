// The charts of one run over one time axis, and the figures that the page's cursor reads from.

import { admissionLane } from '../admission-lane.ts';
import { type BreakerLane, breakerLanes } from '../breaker-lane.ts';
import { admissionChart } from '../charts/admission-chart.ts';
import { answersChart, detoursChart, storeErrorsChart } from '../charts/answers-chart.ts';
import { breakerChart } from '../charts/breaker-chart.ts';
import { type Chart, figureOf } from '../charts/chart.ts';
import { type LatencyData, type LatencySpan, latencyChart, latencySpan } from '../charts/latency-chart.ts';
import type { Journal } from '../journal.ts';
import { armOf, type Bin, binsOf, detoursOf, pointsOf } from '../lanes.ts';
import { embedded, type Markup, markup } from '../markup.ts';
import type { Run } from '../run.ts';
import { storeErrorsLane } from '../store-errors-lane.ts';
import { binMs, type Timeline, timelineOf } from '../timeline.ts';

const pointsMax = { faulted: 9000, control: 3000 };
/** Rows of a table behind a chart. */
const rowsMax = 60;

/** What charts have to agree on that are to be compared. */
export interface Scales {
  readonly endMs: number;
  readonly latency: LatencySpan;
}

export function scalesOf(...runs: readonly Run[]): Scales {
  const spans = runs.map(({ history }) => latencySpan(history.answers));
  return {
    endMs: Math.max(...runs.map(({ history }) => timelineOf(history).endMs)),
    latency: {
      leastMs: Math.min(...spans.map(({ leastMs }) => leastMs)),
      mostMs: Math.max(...spans.map(({ mostMs }) => mostMs)),
    },
  };
}

/** `prefix` tells the ids of two runs on one page apart. */
export function chartsOf(run: Run, journal: Journal, scales = scalesOf(run), prefix = ''): Markup {
  const { history, described } = run;
  const timeline = { ...timelineOf(history), endMs: scales.endMs };
  const breakers = breakerLanes(history, timeline.startMs, timeline.endMs);
  const rowMs = rowWidth(timeline);
  const arms = { faulted: armOf(history, 'faulted'), control: armOf(history, 'control') };
  const latency = (arm: 'faulted' | 'control'): LatencyData => ({
    bins: binsOf(arms[arm]),
    points: pointsOf(arms[arm], pointsMax[arm]),
    rows: binsOf(arms[arm], rowMs),
  });
  const faulted = latency('faulted');
  const control = latency('control');
  const admissions = described ? admissionLane(history) : undefined;
  const limitMs = described ? history.run.bounds.p99Ms : null;
  const charts: Chart[] = [
    latencyChart(timeline, faulted, control, journal.phases, limitMs, scales.latency),
    answersChart(timeline, faulted.bins, faulted.rows),
    breakerChart(timeline, breakers, history.probes),
    storeErrorsChart(timeline, storeErrorsLane(history), storeErrorsLane(history, rowMs)),
    ...(admissions ? [admissionChart(timeline, admissions)] : []),
    detoursChart(
      timeline,
      detoursOf(arms.faulted, breakers),
      detoursOf(arms.faulted, breakers, rowMs),
      arms.faulted.length === 0,
    ),
  ];
  return markup`<div class="lanes">
<script type="application/json">${embedded(cursorData(timeline, faulted.bins, control.bins, breakers))}</script>
${charts.map((chart) => figureOf(timeline, { ...chart, id: `${prefix}${chart.id}` }))}
</div>`;
}

/** The slider that moves the cursor of every chart; the page's script shows it. One readout per run. */
export function cursorBar(names: readonly string[]): Markup {
  return markup`<div class="cursor-bar" hidden>
<label>Instant <input type="range" min="0" step="${binMs}" value="0"></label>
${names.map((name, i) => markup`<output aria-live="off" data-name="${name}">${i === 0 && 'Move over a chart, or use the arrow keys.'}</output>`)}
</div>`;
}

function cursorData(
  timeline: Timeline,
  faulted: readonly Bin[],
  control: readonly Bin[],
  breakers: readonly BreakerLane[],
) {
  const controlP99 = new Map(control.map(({ startMs, latencyMs }) => [startMs, latencyMs.p99]));
  return {
    binMs,
    endMs: timeline.endMs,
    stretches: timeline.stretches.map(({ name, startMs }) => [startMs, name]),
    bins: faulted.map(({ startMs, requests, latencyMs, outcomes }) => [
      startMs,
      requests,
      latencyMs.p50,
      latencyMs.p99,
      controlP99.get(startMs) ?? null,
      outcomes['fallback allowed'] + outcomes['fallback refused'],
      outcomes.failed,
    ]),
    breakers: breakers
      .filter(({ control, reportsBreaker }) => reportsBreaker && !control)
      .map(({ spans }) => spans.map(({ state, startMs }) => [startMs, state])),
  };
}

/** The least of 1, 2, 5, 10, … seconds that needs no more rows than a table may have. */
function rowWidth({ endMs }: Timeline): number {
  for (let width = 1000; ; width *= 10) {
    const fitting = [1, 2, 5].find((factor) => endMs / (factor * width) <= rowsMax);
    if (fitting) return fitting * width;
  }
}
