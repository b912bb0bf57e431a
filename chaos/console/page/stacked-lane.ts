// A lane of counts per second, stacked: what is counted apart has a layer of its own, with the others below it.

import uPlot from 'uplot';
import { figure } from '../../report/figures.ts';
import { binMs } from '../../report/timeline.ts';
import type { LiveBin } from '../messages.ts';
import { colour } from './canvas.ts';
import type { ShownRun } from './shown-run.ts';

export const binSeconds = binMs / 1000;

export interface Lane {
  readonly title: string;
  readonly height: number;
  readonly legend: readonly (readonly [colour: string, text: string])[];
  readonly options: Partial<uPlot.Options>;
  /** What is drawn by lines. */
  readonly data: (run: ShownRun) => uPlot.AlignedData;
  /** What is to be said of it to somebody who cannot see it. */
  readonly words: (run: ShownRun) => string;
}

/** Reasons without a layer of their own are `other`. */
export function countIn(layers: readonly (readonly [name: string, colour: string])[]) {
  return (reasons: Readonly<Record<string, number>> = {}, name: string): number => {
    if (name !== 'other') return reasons[name] ?? 0;
    const others = Object.entries(reasons).filter(([reason]) => !layers.some(([known]) => known === reason));
    return others.reduce((sum, [, n]) => sum + n, 0);
  };
}

/** Steps on each other: the whole is drawn first, and each lower edge over it. */
export function stackedLane<T extends string>(
  title: string,
  layers: readonly (readonly [name: T, colour: string])[],
  countOf: (bin: LiveBin, name: T, run: ShownRun) => number,
  height: number,
): Lane {
  const fromTop = layers.toReversed();
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    title,
    height,
    legend: layers.map(([name, mark]) => [mark, name] as const),
    options: {
      series: [
        {},
        ...fromTop.map(
          ([, mark]): uPlot.Series => ({
            fill: colour(mark),
            width: 0,
            points: { show: false },
            ...(stepped ? { paths: stepped } : {}),
          }),
        ),
      ],
      scales: { y: { range: (_u, _min, max) => [0, Math.max(4, (max || 0) * 1.05)] } },
      axes: [{ values: (_u, values) => values.map((value) => `${figure(value)}/s`) }],
    },
    data: (run) => {
      const { bins } = run;
      const last = bins.at(-1);
      const rows = fromTop.map((_, i) => {
        const below = fromTop.slice(i).map(([name]) => name);
        return bins.map((bin) => below.reduce((sum, name) => sum + countOf(bin, name, run), 0) / binSeconds);
      });
      const starts = bins.map(({ startMs }) => startMs / 1000);
      if (!last) return [starts, ...rows];
      return [[...starts, last.startMs / 1000 + binSeconds], ...rows.map((row) => [...row, row.at(-1) ?? 0])];
    },
    words: (run) => {
      const sum = (name: T) => run.bins.reduce((sum, bin) => sum + countOf(bin, name, run), 0);
      const parts = layers.map(([name]) => `${figure(sum(name))} ${name}`);
      return `${title}: ${parts.join(', ')}.`;
    },
  };
}
