// Latency as the client sees it: single answers as points, p50 and p99 of each bin as lines, on a log axis with the limit.

import { type AnswerEvent, latencyMs } from '../../history.ts';
import { figure, grouped, seconds } from '../figures.ts';
import type { Bin, Points } from '../lanes.ts';
import { type Content, markup } from '../markup.ts';
import type { PhaseSummary } from '../summary.ts';
import type { Timeline } from '../timeline.ts';
import { type Chart, linePath, short, type Tick, xOf } from './chart.ts';

export interface LatencyData {
  readonly bins: readonly Bin[];
  readonly points: Points;
  /** Wide bins, for the table. */
  readonly rows: readonly Bin[];
}

/** The shortest and the longest latency that was measured. */
export interface LatencySpan {
  readonly leastMs: number;
  readonly mostMs: number;
}

const height = 260;

export function latencyChart(
  timeline: Timeline,
  faulted: LatencyData,
  control: LatencyData,
  phases: Readonly<Record<string, PhaseSummary>>,
  limitMs: number | null,
  span: LatencySpan,
): Chart {
  const y = logScale(span, limitMs);
  const line = (mark: string, bins: readonly Bin[], q: 'p50' | 'p99') => {
    const points = bins.map(
      (bin) => [xOf(timeline, bin.startMs + binWidth(bins) / 2), y(bin.latencyMs[q] ?? Infinity)] as const,
    );
    return markup`<path class="${mark}" d="${linePath(points)}"/>`;
  };
  const limit = limitMs === null ? null : y(limitMs);
  const isUnanswered = [faulted, control].some(({ bins }) => bins.some(({ outcomes }) => outcomes.failed > 0));
  const drawn = faulted.points.points.length + control.points.points.length;
  const of = faulted.points.of + control.points.of;
  const sampled = drawn < of ? `${grouped(drawn)} of ${grouped(of)} answers, the slowest always` : 'single answers';
  return {
    id: 'latency',
    title: 'Latency as the client sees it',
    lead: `From the instant at which a request was scheduled, on a log axis. Lines are p50 and p99 of bins of ${binWidth(faulted.bins)} ms${drawn < of ? `; points are a sample, ${sampled}` : ''}.${isUnanswered ? ' What is drawn at the top edge was never answered.' : ''}`,
    alternative: `p99 by phase: ${Object.entries(phases)
      .map(
        ([name, phase]) =>
          `${name} ${figure(phase.latencyMs.p99)} ms, control ${figure(phase.controlLatencyMs.p99)} ms`,
      )
      .join('; ')}.${limitMs === null ? '' : ` The limit is ${limitMs} ms.`}`,
    height,
    ticks: logTicks(y),
    shapes: markup`${dots('dots control', timeline, control.points, y)}
${dots('dots', timeline, faulted.points, y)}
${line('line control', control.bins, 'p99')}
${line('line p50', faulted.bins, 'p50')}
${line('line p99', faulted.bins, 'p99')}
${limit !== null && markup`<path class="line limit" d="M0 ${short(limit)}H1000"/>`}`,
    words:
      limit !== null &&
      markup`<text class="limit-text" x="100%" y="${short(limit)}" dx="-4" dy="-5" text-anchor="end">limit of p99: ${limitMs} ms</text>`,
    legend: [
      { mark: 'line p99', text: 'p99' },
      { mark: 'line p50', text: 'p50' },
      { mark: 'dots', text: sampled },
      { mark: 'line control', text: 'p99 of the control arm, never faulted' },
      ...(limitMs === null ? [] : [{ mark: 'line limit', text: `the limit, ${limitMs} ms` }]),
    ],
    tables: [
      {
        caption: 'Latency in ms',
        head: ['from', 'requests', 'p50', 'p99', 'max', 'control p99'],
        rows: faulted.rows.map((row) => {
          const other = control.rows.find(({ startMs }) => startMs === row.startMs);
          const { p50, p99, max } = row.latencyMs;
          const figures = [p50, p99, max, other?.latencyMs.p99 ?? null].map(figure);
          return [seconds(row.startMs, 1), grouped(row.requests), ...figures];
        }),
      },
    ],
  };
}

/** The least distance of two bins. */
function binWidth(bins: readonly Bin[]): number {
  return bins.reduce((width, { startMs }, i) => {
    const before = bins[i - 1];
    return before ? Math.min(width, startMs - before.startMs) : width;
  }, 250);
}

/** Over everything that is to be drawn to one scale. */
export function latencySpan(answers: readonly AnswerEvent[]): LatencySpan {
  let leastMs = 1;
  let mostMs = 1;
  for (const answer of answers) {
    const ms = latencyMs(answer);
    if (ms > 0 && ms < leastMs) leastMs = ms;
    if (ms > mostMs && ms !== Number.POSITIVE_INFINITY) mostMs = ms;
  }
  return { leastMs, mostMs };
}

type Scale = ((latencyMs: number) => number) & { readonly minMs: number; readonly maxMs: number };

/** Whole powers of ten around the span; what is infinite lies on the upper edge. */
function logScale(span: LatencySpan, limitMs: number | null): Scale {
  const least = Math.min(span.leastMs, limitMs ?? 1);
  const most = Math.max(span.mostMs, 2 * (limitMs ?? 1));
  const from = Math.floor(Math.log10(Math.max(least, 0.01)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most * 1.2)));
  const scale = (latencyMs: number) => {
    const exponent = Math.log10(Math.max(latencyMs, 10 ** from));
    return Math.max(2, height * (1 - (exponent - from) / (to - from)));
  };
  return Object.assign(scale, { minMs: 10 ** from, maxMs: 10 ** to });
}

function logTicks(y: Scale): Tick[] {
  const ticks: Tick[] = [];
  for (let ms = y.minMs; ms <= y.maxMs * 1.001; ms *= 10) {
    ticks.push({ y: y(ms), text: ms < 999 ? `${Number(ms.toPrecision(1))} ms` : `${Math.round(ms / 1000)} s` });
  }
  return ticks;
}

function dots(mark: string, timeline: Timeline, { points }: Points, y: Scale): Content {
  const path = points.map(({ atMs, latencyMs }) => `M${short(xOf(timeline, atMs))} ${short(y(latencyMs))}h0`).join('');
  return markup`<path class="${mark}" d="${path}"/>`;
}
