// An incident as a picture: panels under each other over one time axis, the fault shaded through all of them.
//
//   title of a panel               ─ p50 ─ p99
//     9 ms ┤~~~~~~~~~~▒▒▒▒▒▒▒▒▒▒▒▒~~~~~~~~~~~~
//          └──────────┬───────────┬───────────
//                     0 s        20 s
//
// How a panel is drawn (lines, stacked areas or states; its unit and its limit) is what its dashboard says.

import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { linePath, short, ticksUpTo } from '../chaos/report/charts/chart.ts';
import { type Content, type Markup, markup } from '../chaos/report/markup.ts';
import { type Incident, type Line, type PanelData, picturedPanels } from './incident.ts';
import { type Colours, colourOf, type Scheme, schemes } from './palette.ts';

const width = 800;
const left = 72;
const right = width - 24; // the last tick’s words stand out by half, in whatever font
const plotHeight = 104;
const rowHeight = 22;
/** Of a panel's title, and of the space under its plot. */
const headHeight = 30;
const gap = 14;
const topHeight = 24;
const axisHeight = 24;
/** Of a character of a legend. */
const letterPx = 6.7;

interface Frame {
  readonly incident: Incident;
  readonly colours: Colours;
  readonly x: (seconds: number) => number;
}

export function drawingOf(incident: Incident, scheme: Scheme): string {
  const colours = schemes[scheme];
  const { fromS, toS, faultS } = incident;
  const x = (seconds: number) => left + ((right - left) * (seconds - fromS)) / (toS - fromS);
  const frame = { incident, colours, x };
  let y = topHeight;
  const panels = incident.panels.map((data) => {
    const panel = picturedPanels.find(({ title }) => title === data.title);
    if (!panel) throw new Error(`there is no panel "${data.title}"`);
    const drawn = panelDrawing(frame, panel, data, y);
    y += headHeight + drawn.height + gap;
    return drawn.shapes;
  });
  const height = y + axisHeight;
  const shade = markup`<rect x="${short(x(0))}" y="${topHeight - 6}" width="${short(x(faultS) - x(0))}" height="${y - topHeight}" fill="${colours.shade}"/>`;
  const ticks = timeTicks(fromS, toS).map(
    (seconds) =>
      markup`<text x="${short(x(seconds))}" y="${y + 10}" text-anchor="middle" fill="${colours.muted}">${String(seconds).replace('-', '−')} s</text>`,
  );
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif" font-size="12">
<title>${titleOf(incident)}</title>
<rect width="${width}" height="${height}" fill="${colours.paper}"/>
${shade}
<text x="${short((x(0) + x(faultS)) / 2)}" y="${topHeight - 10}" text-anchor="middle" font-weight="600" fill="${colours.named.red}">${incident.scenario}: in place for ${Math.round(faultS)} s</text>
${panels}
${ticks}
</svg>
`.text;
}

/** In words, for who cannot see it. */
function titleOf({ scenario, verdict, seed, faultS }: Incident): string {
  const panels = picturedPanels.map(({ title }) => title).join('; ');
  return `Scenario ${scenario}, seed ${seed}, verdict ${verdict}: a fault of ${Math.round(faultS)} s as the dashboards show it. Panels: ${panels}.`;
}

function panelDrawing(frame: Frame, panel: Panel, { title, queries }: PanelData, top: number) {
  const lines = queries.flatMap((query) => query.lines);
  const plotTop = top + headHeight;
  const states = statesOf(panel);
  const body = states ? stateRows(frame, lines, states, plotTop) : plot(frame, panel, lines, plotTop);
  const heading = markup`<text x="${left}" y="${top + 18}" font-size="14" font-weight="600" fill="${frame.colours.ink}">${title}</text>`;
  return { height: body.height, shapes: markup`${heading}${legend(frame, body.legend, top + 18)}${body.shapes}` };
}

interface Body {
  readonly height: number;
  readonly shapes: Content;
  readonly legend: readonly LegendEntry[];
}

interface LegendEntry {
  readonly text: string;
  readonly colour: string;
  readonly dashed?: boolean;
}

function plot({ incident, colours, x }: Frame, panel: Panel, all: readonly Line[], top: number): Body {
  const { unit = '', thresholds } = panel.fieldConfig?.defaults ?? {};
  const isStacked = panel.fieldConfig?.defaults.custom?.stacking?.mode === 'normal';
  const lines = all.filter(({ points }) => points.some(([, value]) => Number(value) > 0));
  const limit = thresholds?.steps.at(1)?.value ?? undefined;
  const levels = isStacked ? stackedOver(lines) : lines.map(({ points }) => points);
  const most = Math.max(limit ?? 0, ...levels.flatMap((points) => points.map(([, value]) => value ?? 0)));
  const ticks = ticksUpTo(most * 1.1, 3);
  const max = Math.max(most * 1.1, ticks.at(-1) ?? 0) || 1;
  const y = (value: number) => top + plotHeight * (1 - value / max);
  const grid = ticks.map(
    (value) =>
      markup`<path d="M${left} ${short(y(value))}H${right}" stroke="${colours.rule}"/><text x="${left - 8}" y="${short(y(value) + 4)}" text-anchor="end" fill="${colours.muted}">${inUnit(value, unit)}</text>`,
  );
  const entries = lines.map(({ name }, i) => ({ text: name, colour: colourOf(colours, overridden(panel, name), i) }));
  const paths = levels.map((points, i) => {
    const drawn = points.map(([s, value]) => (value === null ? null : ([x(s), y(value)] as const)));
    const colour = entries[i]?.colour;
    if (!isStacked) return markup`<path d="${linePath(drawn)}" fill="none" stroke="${colour}" stroke-width="2"/>`;
    const under = (levels[i - 1] ?? points.map(([s]) => [s, 0] as const)).toReversed();
    const outline = [...drawn, ...under.map(([s, value]) => [x(s), y(value ?? 0)] as const)];
    return markup`<path d="${linePath(outline)}Z" fill="${colour}"/>`;
  });
  const line =
    limit !== undefined &&
    markup`<path d="M${short(x(incident.fromS))} ${short(y(limit))}H${right}" stroke="${colours.named.red}" stroke-width="1.5" stroke-dasharray="7 4"/>`;
  const limitEntry =
    limit === undefined ? [] : [{ text: `limit ${inUnit(limit, unit)}`, colour: colours.named.red, dashed: true }];
  return { height: plotHeight, shapes: markup`${grid}${paths}${line}`, legend: [...entries, ...limitEntry] };
}

/** The name of the colour that the panel gives to a line. */
function overridden({ fieldConfig }: Panel, name: string): string | undefined {
  const override = fieldConfig?.overrides?.find(({ matcher }) => matcher.id === 'byName' && matcher.options === name);
  return override?.properties.find(({ id }) => id === 'color')?.value?.fixedColor;
}

/** Each line's upper edge, on the sum of those before it; all have the same instants. */
function stackedOver(lines: readonly Line[]): Line['points'][] {
  const sums = new Map<number, number>();
  return lines.map(({ points }) =>
    points.map(([s, value]) => {
      const sum = (sums.get(s) ?? 0) + (value ?? 0);
      sums.set(s, sum);
      return [s, sum] as const;
    }),
  );
}

type StateAt = (value: number) => { readonly text: string; readonly colour: string | undefined };

/** How the panel names and colours values, where it shows states; undefined for a panel of lines. */
function statesOf(panel: Panel): StateAt | undefined {
  if (panel.type === 'stat') {
    const limit = panel.fieldConfig?.defaults.thresholds?.steps.at(1)?.value ?? 1;
    return (value) => ({ text: value >= limit ? `${value} firing` : 'none', colour: value >= limit ? 'red' : 'green' });
  }
  if (panel.type !== 'state-timeline') return undefined;
  const [mapping] = panel.fieldConfig?.defaults.mappings ?? [];
  const options = mapping?.type === 'value' ? mapping.options : {};
  return (value) => {
    const { text = '', color } = options[String(value)] ?? {};
    return { text, colour: color };
  };
}

function stateRows({ colours, x }: Frame, lines: readonly Line[], stateAt: StateAt, top: number): Body {
  const legendEntries = new Map<string, LegendEntry>();
  const rows = lines.map(({ name, points }, i) => {
    const y = top + i * rowHeight;
    const starts = points.filter(([, value], k) => k === 0 || value !== points[k - 1]?.[1]);
    const bands = starts.map(([s, value], k) => {
      const { text, colour: named } = stateAt(value ?? 0);
      const colour = colourOf(colours, named, 0);
      legendEntries.set(text, { text, colour });
      const to = x(starts[k + 1]?.[0] ?? points.at(-1)?.[0] ?? s);
      return markup`<rect x="${short(x(s))}" y="${y}" width="${short(to - x(s))}" height="${rowHeight - 6}" fill="${colour}"/>`;
    });
    return markup`<text x="${left - 8}" y="${y + 12}" text-anchor="end" fill="${colours.muted}">${name}</text>${bands}`;
  });
  return { height: Math.max(1, lines.length) * rowHeight - 6, shapes: rows, legend: [...legendEntries.values()] };
}

/** To the right of the title, in the order of the lines. */
function legend({ colours }: Frame, entries: readonly LegendEntry[], baseline: number): Markup {
  const widths = entries.map(({ text }) => 24 + text.length * letterPx + 12);
  let x = right - widths.reduce((sum, each) => sum + each, 0) + 12;
  const shapes = entries.map(({ text, colour, dashed }, i) => {
    const at = short(x);
    x += widths[i] ?? 0;
    return markup`<path d="M${at} ${baseline - 4}h18" stroke="${colour}" stroke-width="${dashed ? 2 : 6}"${dashed && markup` stroke-dasharray="5 3"`}/><text x="${at}" dx="23" y="${baseline}" fill="${colours.ink}">${text}</text>`;
  });
  return markup`${shapes}`;
}

function inUnit(value: number, unit: string): string {
  if (unit === 's') return `${Number((value * 1000).toPrecision(3))} ms`;
  return `${value.toLocaleString('en')}${unit === 'reqps' || unit === 'ops' ? ' /s' : ''}`;
}

function timeTicks(fromS: number, toS: number): number[] {
  const step = ticksUpTo(toS - fromS, 8)[1] ?? 1;
  const first = Math.ceil(fromS / step);
  return Array.from({ length: Math.floor(toS / step) - first + 1 }, (_, i) => (first + i) * step);
}
