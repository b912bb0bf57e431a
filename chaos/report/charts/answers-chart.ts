// Stacked areas per second: answers by who decided and how, and by reason calls to Redis that failed, and answers that
// Redis did not give.

import { figure, grouped, seconds } from '../figures.ts';
import { type Bin, type Detours, type Outcome, outcomes } from '../lanes.ts';
import { markup } from '../markup.ts';
import { binMs, type Timeline } from '../timeline.ts';
import { across, type Chart, linePath, ticksUpTo, xOf } from './chart.ts';

interface Layer {
  readonly name: string;
  readonly mark: string;
  readonly counts: ReadonlyMap<number, number>;
}

const height = 180;
const reasonsMax = 6;
/** The same reason looks the same in every report. */
const reasonMarks: Readonly<Record<string, string>> = {
  'breaker not closed': 'reason-0',
  'call to Redis failed or late': 'reason-2',
  'fallback, reason not reported': 'reason-5',
  timeout: 'reason-2',
  disconnected: 'reason-0',
};
const otherMarks = ['reason-1', 'reason-3', 'reason-4', 'reason-5'];

export function answersChart(timeline: Timeline, bins: readonly Bin[], rows: readonly Bin[]): Chart {
  const layers = outcomes
    .map((outcome) => ({
      name: outcome,
      mark: `area ${outcome.replace(' ', '-')}`,
      counts: new Map(bins.map((bin) => [bin.startMs, bin.outcomes[outcome]])),
    }))
    .filter(({ counts }) => total(counts) > 0);
  const shown = layers.map(({ name }) => name as Outcome);
  return {
    id: 'answers',
    title: 'Answers per second, by who decided',
    lead: 'Refused is a 429: the limiter at work, not an error. Failed is a 5xx, a lost connection or silence.',
    alternative: `Of all answers: ${sums(layers)}.`,
    ...stacked(timeline, layers),
    tables: [
      {
        caption: 'Answers by mechanism and status',
        head: ['from', ...shown],
        rows: rows.map((row) => [seconds(row.startMs, 1), ...shown.map((outcome) => grouped(row.outcomes[outcome]))]),
      },
    ],
  };
}

/** `rows` are wide ones, for the table. */
export function detoursChart(
  timeline: Timeline,
  detours: readonly Detours[],
  rows: readonly Detours[],
  isEmpty: boolean,
): Chart {
  return reasonsChart(timeline, detours, rows, {
    id: 'detours',
    title: 'Answers that Redis did not give, by reason',
    lead: 'A call to Redis that failed or came too late, a breaker that kept Redis out of it, or no answer at all.',
    none: isEmpty ? 'Missing: this run tells of no answer.' : 'Redis gave every answer.',
    caption: 'Answers that Redis did not give',
  });
}

/** `errors` are those of `storeErrorsLane`: undefined where nobody told. */
export function storeErrorsChart(
  timeline: Timeline,
  errors: readonly Detours[] | undefined,
  rows: readonly Detours[] = [],
): Chart {
  return reasonsChart(timeline, errors ?? [], rows, {
    id: 'store-errors',
    title: 'Store errors: calls to Redis that failed, by reason',
    lead: 'As the faulted instances count them, spread evenly over the second between two scrapes, and never before the fault that was put on in it. One call may carry many requests; an open breaker makes only probes.',
    none: errors
      ? 'No call failed.'
      : 'Missing: this run does not tell of failed calls. The limiter has no such metric, or an older lab recorded it.',
    caption: 'Calls to Redis that failed',
  });
}

interface ReasonTexts extends Pick<Chart, 'id' | 'title' | 'lead'> {
  /** In place of the lead when there is nothing to see. */
  readonly none: string;
  readonly caption: string;
}

function reasonsChart(
  timeline: Timeline,
  counted: readonly Detours[],
  rows: readonly Detours[],
  { id, title, lead, none, caption }: ReasonTexts,
): Chart {
  const layers = reasonLayers(counted);
  return {
    id,
    title,
    lead: layers.length === 0 ? none : lead,
    alternative: layers.length === 0 ? none : `In all: ${sums(layers)}.`,
    ...stacked(timeline, layers),
    tables: [
      {
        caption,
        head: ['from', ...layers.map(({ name }) => name)],
        rows: rows.map((row) => [
          seconds(row.startMs, 1),
          ...reasonLayers([row], layers).map(({ counts }) => figure(tenths(total(counts)))),
        ]),
      },
    ],
  };
}

/** The most frequent reasons, the rest as one; or those of other layers. */
function reasonLayers(detours: readonly Detours[], like?: readonly Layer[]): Layer[] {
  const sum = new Map<string, number>();
  for (const { reasons } of detours) for (const [reason, n] of reasons) sum.set(reason, (sum.get(reason) ?? 0) + n);
  const ranked = [...sum].sort((a, b) => b[1] - a[1]).map(([reason]) => reason);
  const names =
    like?.map(({ name }) => name) ??
    (ranked.length > reasonsMax ? [...ranked.slice(0, reasonsMax - 1), 'other reasons'] : ranked);
  const countIn = ({ reasons }: Detours, name: string) =>
    name === 'other reasons'
      ? [...reasons].reduce((rest, [reason, n]) => (names.includes(reason) ? rest : rest + n), 0)
      : (reasons.get(name) ?? 0);
  const others = names.filter((name) => !(name in reasonMarks));
  return names.map((name) => ({
    name,
    mark: `area ${reasonMarks[name] ?? otherMarks[others.indexOf(name) % otherMarks.length]}`,
    counts: new Map(detours.map((each) => [each.startMs, countIn(each, name)])),
  }));
}

function stacked(timeline: Timeline, layers: readonly Layer[]): Pick<Chart, 'height' | 'ticks' | 'shapes' | 'legend'> {
  const starts = [...new Set(layers.flatMap(({ counts }) => [...counts.keys()]))].sort((a, b) => a - b);
  const perSecond = 1000 / binMs;
  const tops = new Map(starts.map((start) => [start, 0]));
  let most = 0;
  for (const start of starts) {
    most = Math.max(most, perSecond * layers.reduce((sum, { counts }) => sum + (counts.get(start) ?? 0), 0));
  }
  const ticks = ticksUpTo(Math.max(most, 1), 4);
  const max = Math.max(most, 1) * 1.05;
  const y = (value: number) => height * (1 - value / max);
  // A step per bin; bins without requests are at zero.
  const edge = (level: (start: number) => number): [number, number][] => {
    const points: [number, number][] = [];
    let endMs = Number.NEGATIVE_INFINITY;
    for (const start of starts) {
      if (start > endMs) points.push([xOf(timeline, endMs), y(0)], [xOf(timeline, start), y(0)]);
      endMs = start + binMs;
      points.push([xOf(timeline, start), y(level(start))], [xOf(timeline, endMs), y(level(start))]);
    }
    return points;
  };
  const shapes = layers.map(({ mark, counts }) => {
    const lower = edge((start) => tops.get(start) ?? 0);
    for (const [start, n] of counts) tops.set(start, (tops.get(start) ?? 0) + n * perSecond);
    const upper = edge((start) => tops.get(start) ?? 0);
    return markup`<path class="${mark}" d="${linePath([...upper, ...lower.reverse()])}Z"/>`;
  });
  return {
    height,
    ticks: ticks.map((value) => ({ y: y(value), text: `${figure(value)}/s` })),
    shapes: markup`${shapes}<path class="axis" d="M0 ${height}H${across}"/>`,
    legend: layers.map(({ name, mark }) => ({ mark, text: name })),
  };
}

function sums(layers: readonly Layer[]): string {
  return layers.map(({ name, counts }) => `${grouped(tenths(total(counts)))} ${name}`).join(', ');
}

/** Parts that were spread over bins add up to whole ones again. */
function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function total(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}
