// The staircase of tokens admitted to one key, under the line of what may be admitted.

import type { AdmissionLane, AdmissionStep } from '../admission-lane.ts';
import { figure, seconds } from '../figures.ts';
import { markup } from '../markup.ts';
import type { Timeline } from '../timeline.ts';
import { type Chart, linePath, ticksUpTo, xOf } from './chart.ts';

const height = 200;
const stepsMax = 4000;
const rowsMax = 60;

export function admissionChart(timeline: Timeline, { key, steps }: AdmissionLane): Chart {
  const drawn = thinned(steps, stepsMax);
  const last = steps.at(-1) ?? { atMs: 0, admitted: 0, bound: 0 };
  const max = Math.max(1, last.bound, last.admitted) * 1.08;
  const y = (tokens: number) => height * (1 - tokens / max);
  const x = ({ atMs }: AdmissionStep) => xOf(timeline, atMs);
  const stairs = drawn.flatMap((step, i) => {
    const before = drawn[i - 1]?.admitted ?? 0;
    return [[x(step), y(before)] as const, [x(step), y(step.admitted)] as const];
  });
  const over = steps.find(({ admitted, bound }) => admitted > bound);
  const why = last.admitted > last.bound ? 'the one furthest over its bound' : 'the most popular one';
  const verdict = over ? `Over it from ${seconds(over.atMs)} on.` : 'Never over it.';
  return {
    id: 'admissions',
    title: 'Tokens admitted against the bound',
    lead: `All instances together, for key ${key}, ${why}. ${verdict}`,
    alternative: `Key ${key} was admitted ${last.admitted} tokens of at most ${figure(last.bound)}. ${verdict}`,
    height,
    ticks: ticksUpTo(max, 4).map((tokens) => ({ y: y(tokens), text: figure(tokens) })),
    shapes: markup`<path class="line bound" d="${linePath(drawn.map((step) => [x(step), y(step.bound)]))}"/>
<path class="line admitted" d="${linePath(stairs)}"/>`,
    legend: [
      { mark: 'line bound', text: 'may be admitted' },
      { mark: 'line admitted', text: 'admitted' },
    ],
    tables: [
      {
        caption: `Tokens of key ${key}`,
        head: ['until', 'admitted', 'bound'],
        rows: thinned(steps, rowsMax).map(({ atMs, admitted, bound }) => [seconds(atMs), admitted, figure(bound)]),
      },
    ],
  };
}

/** Every n-th, and the last. */
function thinned<T>(all: readonly T[], max: number): T[] {
  const step = Math.max(1, Math.ceil(all.length / max));
  return all.filter((_, i) => i % step === 0 || i === all.length - 1);
}
