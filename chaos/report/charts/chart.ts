// The frame that every chart of a report shares: time on the x axis with phases and faults shaded, a y axis, a cursor line
// that the page's script moves, a legend, and the figures as a table.
//
// Two drawings lie on each other. The shapes are stretched to whatever width there is, with strokes that keep theirs; the
// words are placed in per cent and keep their size. So one chart serves a phone, a screen and a sheet of paper, without a
// script.
//
//     ┌ words:  baseline │ fault … │ recovered ┐
//   9 ┤ shapes: ~~~~~~~~~▒▒▒▒▒▒▒▒▒~~~~~~~~~~~~ │
//     └ words:  0 s      5 s      10 s         ┘

import { type Content, type Markup, markup } from '../markup.ts';
import type { Timeline } from '../timeline.ts';

/** Units across, whatever the width. */
export const across = 1000;

export interface Tick {
  /** Units from the top. */
  readonly y: number;
  readonly text: string;
}

export interface LegendEntry {
  /** Class of the swatch, which is the class of what it stands for. */
  readonly mark: string;
  readonly text: string;
}

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Content[])[];
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** One sentence: what is to be seen. */
  readonly lead: string;
  /** What somebody who cannot see it has to know. */
  readonly alternative: string;
  /** Units, which are pixels. */
  readonly height: number;
  readonly ticks: readonly Tick[];
  readonly shapes: Content;
  readonly words?: Content;
  readonly legend: readonly LegendEntry[];
  readonly tables: readonly Table[];
}

export function figureOf(timeline: Timeline, chart: Chart): Markup {
  const { id, title, lead, alternative, height, ticks, shapes, words, legend, tables } = chart;
  return markup`
<figure id="${id}" class="chart">
<figcaption><h3>${title}</h3><p>${lead}</p></figcaption>
<ul class="legend">${legend.map(legendEntry)}${timeline.faults.length > 0 && legendEntry({ mark: 'fault', text: faultNames(timeline) })}</ul>
<div class="plot" role="img" aria-label="${alternative}">
<svg class="shapes" viewBox="0 0 ${across} ${height}" preserveAspectRatio="none" height="${height}" aria-hidden="true">
${shading(timeline, height)}
${ticks.map(({ y }) => markup`<line class="grid" x1="0" x2="${across}" y1="${short(y)}" y2="${short(y)}"/>`)}
${shapes}
<line class="cursor" x1="0" x2="0" y1="0" y2="${height}" visibility="hidden"/>
</svg>
<svg class="words" height="${height}" aria-hidden="true">
${stretchNames(timeline)}
${ticks.map(({ y, text }) => markup`<text class="tick" x="0" y="${short(y)}" dx="-6" dy="4" text-anchor="end">${text}</text>`)}
${timeTicks(timeline).map((ms) => timeTick(timeline, ms, height))}
${words}
</svg>
</div>
<details><summary>The figures as ${tables.length === 1 ? 'a table' : 'tables'}</summary>${tables.map(tableOf)}</details>
</figure>`;
}

export function tableOf({ caption, head, rows }: Table): Markup {
  return markup`
<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head.map((cell) => markup`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => markup`<tr>${row.map((cell) => markup`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** Units from the left. */
export function xOf({ startMs, endMs }: Timeline, atMs: number): number {
  return (across * (Math.min(Math.max(atMs, startMs), endMs) - startMs)) / (endMs - startMs);
}

/** A tenth of a unit is less than can be seen. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A line through the points; null breaks it. */
export function linePath(points: readonly (readonly [x: number, y: number] | null)[]): string {
  let pen = 'M';
  return points
    .map((point) => {
      if (!point) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${short(point[0])} ${short(point[1])}`;
      pen = 'L';
      return step;
    })
    .join('');
}

/** Round steps over 0 to `max`, about `count` of them. */
export function ticksUpTo(max: number, count: number): number[] {
  const step = roundStep(max / count);
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

function roundStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

function timeTicks({ endMs }: Timeline): number[] {
  return ticksUpTo(endMs / 1000, 6).map((s) => s * 1000);
}

function timeTick(timeline: Timeline, ms: number, height: number): Markup {
  const x = xOf(timeline, ms);
  const anchor = x > 0.97 * across ? 'end' : 'middle';
  return markup`<text class="tick" x="${percent(x)}" y="${height}" dy="16" text-anchor="${anchor}">${ms / 1000} s</text>`;
}

function shading(timeline: Timeline, height: number): Markup {
  const rect = (mark: string, startMs: number, endMs: number) => {
    const x = xOf(timeline, startMs);
    return markup`<rect class="${mark}" x="${short(x)}" y="0" width="${short(xOf(timeline, endMs) - x)}" height="${height}"/>`;
  };
  return markup`${timeline.stretches.filter(({ name }) => name === 'warm-up').map(({ startMs, endMs }) => rect('warm-up', startMs, endMs))}
${timeline.faults.map(({ startMs, endMs }) => rect('fault', startMs, endMs))}
${timeline.stretches.slice(1).map(({ startMs }) => {
  const x = short(xOf(timeline, startMs));
  return markup`<line class="edge" x1="${x}" x2="${x}" y1="0" y2="${height}"/>`;
})}`;
}

/** Widths, in pixels, of the plot on a phone and on a screen, and of a letter. */
const plotPx = { phone: 280, screen: 860 };
const letterPx = 6.6;

function stretchNames(timeline: Timeline): Content {
  return timeline.stretches.map(({ name, startMs, endMs }) => {
    const from = xOf(timeline, startMs);
    const part = (xOf(timeline, endMs) - from) / across;
    const needsPx = name.length * letterPx;
    if (part * plotPx.screen < needsPx) return null;
    const mark = part * plotPx.phone < needsPx ? 'stretch roomy' : 'stretch';
    return markup`<text class="${mark}" x="${percent(from + (part * across) / 2)}" y="-6" text-anchor="middle">${name}</text>`;
  });
}

function percent(x: number): string {
  return `${Math.round((10_000 * x) / across) / 100}%`;
}

function legendEntry({ mark, text }: LegendEntry): Markup {
  return markup`<li><svg class="swatch" viewBox="0 0 24 12" width="24" height="12" aria-hidden="true">${swatch(mark)}</svg>${text}</li>`;
}

/** Lines as lines, areas as areas, points as points. */
function swatch(mark: string): Markup {
  if (mark.startsWith('line')) return markup`<path class="${mark}" d="M1 6H23"/>`;
  if (mark.startsWith('dots')) return markup`<path class="${mark}" d="M6 6h0M12 4h0M18 8h0"/>`;
  return markup`<rect class="${mark}" x="1" y="1" width="22" height="10"/>`;
}

/** More are counted: a storm has dozens. */
const namesMax = 4;

function faultNames({ faults }: Timeline): string {
  const names = [...new Set(faults.map(({ fault }) => fault))];
  return names.length > namesMax ? `one of ${names.length} kinds of faults in place` : `${names.join(', ')} in place`;
}
