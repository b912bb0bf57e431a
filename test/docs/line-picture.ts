// A picture of lines, as an SVG that stands by itself beside a page: panels side by side, each with axes of its own.

import { linePath, short, ticksUpTo } from '../../chaos/report/charts/chart.ts';
import { type Markup, markup } from '../../chaos/report/markup.ts';

export interface Line {
  readonly name: string;
  /** A bound, and not what was measured. */
  readonly isBound?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  /** With its unit. */
  readonly across: string;
  readonly lines: readonly Line[];
}

const panelPx = { width: 380, height: 330 };
const plotPx = { left: 56, top: 34, width: 300, height: 180 };
const legendPx = { top: 262, line: 16 };
/** Apart from each other for the colour-blind, too. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

/** `about`: what somebody who cannot see it has to know. */
export function linePicture(about: string, panels: readonly Panel[]): string {
  const size = { width: panels.length * panelPx.width, height: panelPx.height };
  const { text } =
    markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>${about}</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.map(
  (panel, i) => markup`<g transform="translate(${i * panelPx.width} 0)">${drawn(panel)}</g>
`,
)}</svg>
`;
  return text;
}

function drawn({ title, across, lines }: Panel): Markup {
  const points = lines.flatMap((line) => line.points);
  const most = { x: Math.max(...points.map(([x]) => x)), y: Math.max(...points.map(([, y]) => y)) };
  const { left, top, width, height } = plotPx;
  const bottom = top + height;
  const x = (value: number) => left + (width * value) / most.x;
  const y = (value: number) => bottom - (height * value) / most.y;
  return markup`
<text x="${left}" y="20" font-weight="bold">${title}</text>
${ticksUpTo(most.y, 4).map(
  (
    value,
  ) => markup`<path d="M${left} ${short(y(value))}h${width}" stroke="#ddd"/><text x="${left - 6}" y="${short(y(value) + 4)}" text-anchor="end">${value}</text>
`,
)}${ticksUpTo(most.x, 5).map(
  (value) => markup`<text x="${short(x(value))}" y="${bottom + 16}" text-anchor="middle">${value}</text>
`,
)}<text x="${left + width}" y="${bottom + 32}" text-anchor="end">${across}</text>
${lines.map((line, i) => {
  const colour = colours[lines.filter(({ isBound }) => isBound === line.isBound).indexOf(line) % colours.length];
  const stroke = markup`stroke="${colour}" fill="none" ${line.isBound && markup`stroke-dasharray="4 3"`}`;
  const legendY = legendPx.top + legendPx.line * Math.floor(i / 2);
  const legendX = left + (i % 2) * (width / 2);
  return markup`<path ${stroke} stroke-width="2" d="${linePath(line.points.map((point) => [x(point[0]), y(point[1])] as const))}"/>
<path ${stroke} stroke-width="2" d="M${legendX} ${legendY}h18"/><text x="${legendX + 24}" y="${legendY + 4}">${line.name}</text>
`;
})}`;
}
