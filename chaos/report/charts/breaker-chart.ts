// Each instance's breaker as a band, and what the lab's own PINGs through its store link saw.

import type { ProbeEvent } from '../../history.ts';
import type { BreakerLane, BreakerSpan } from '../breaker-lane.ts';
import { seconds } from '../figures.ts';
import { type Content, markup } from '../markup.ts';
import type { Timeline } from '../timeline.ts';
import { type Chart, short, xOf } from './chart.ts';

const laneHeight = 40;
const bandHeight = 16;

export function breakerChart(timeline: Timeline, lanes: readonly BreakerLane[], probes: readonly ProbeEvent[]): Chart {
  const top = (i: number) => i * laneHeight + 6;
  const band = ({ spans }: BreakerLane, i: number) =>
    spans.toSorted(briefLast).map(({ state, startMs, endMs }) => {
      const x = xOf(timeline, startMs);
      const width = Math.max(state === 'half-open' ? 3 : 1, xOf(timeline, endMs) - x);
      return markup`<rect class="breaker ${markOf(state)}" x="${short(x)}" y="${top(i)}" width="${short(width)}" height="${bandHeight}"/>`;
    });
  const seen = ({ instance }: BreakerLane, i: number): Content =>
    (['healthy', 'broken', 'other'] as const).map((state) => {
      const path = probes
        .filter((probe) => probe.instance === instance && probe.seen === state)
        .map(({ atMs }) => `M${short(xOf(timeline, atMs))} ${top(i) + bandHeight + 3}v7`)
        .join('');
      return path !== '' && markup`<path class="line probe ${state}" d="${path}"/>`;
    });
  return {
    id: 'breakers',
    title: 'Breaker of each instance',
    lead: 'Under each band: a PING of the lab’s own through the same link, which tells whether the fault bit.',
    alternative: lanes.map(inWords).join(' '),
    height: Math.max(1, lanes.length) * laneHeight,
    ticks: lanes.map(({ instance }, i) => ({ y: top(i) + bandHeight / 2, text: shortName(instance) })),
    shapes: markup`${lanes.map(band)}${lanes.map(seen)}`,
    words: lanes.map(
      ({ reportsBreaker }, i) =>
        !reportsBreaker && markup`<text class="tick" x="1%" y="${top(i) + 12}">does not tell of its breaker</text>`,
    ),
    legend: [
      ...(['closed', 'open', 'half-open'] as const).map((state) => ({ mark: `breaker ${state}`, text: state })),
      { mark: 'line probe healthy', text: 'PING answered' },
      { mark: 'line probe broken', text: 'PING met the fault' },
    ],
    tables: [
      {
        caption: 'States of the breakers',
        head: ['instance', 'state', 'from', 'to'],
        rows: lanes.flatMap(({ instance, spans }) =>
          spans
            .slice(0, rowsMax)
            .map(({ state, startMs, endMs }) => [instance, state, seconds(startMs), seconds(endMs)]),
        ),
      },
    ],
  };
}

const rowsMax = 60;

/** What lasts a moment is drawn over what lasts. */
const briefLast = (a: BreakerSpan, b: BreakerSpan) => Number(a.state === 'half-open') - Number(b.state === 'half-open');

function markOf(state: string): string {
  return state === 'closed' || state === 'open' || state === 'half-open' ? state : 'strange';
}

/** Fits beside a chart. */
function shortName(instance: string): string {
  const name = instance.replace(/^limiter-/, '');
  return name.length > 8 ? `${name.slice(0, 7)}…` : name;
}

function inWords({ instance, reportsBreaker, spans }: BreakerLane): string {
  if (!reportsBreaker) return `${instance} does not tell of its breaker.`;
  const shown = spans.slice(0, 12).map(({ state, startMs }) => `${state} from ${seconds(startMs, 2)}`);
  return `${instance}: ${shown.join(', ')}${spans.length > shown.length ? ', and so on' : ''}.`;
}
