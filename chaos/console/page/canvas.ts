// What all charts have in common on their canvas: colours of the page's style sheet, and the run's faults and phases
// behind the lines.

import type uPlot from 'uplot';
import type { ShownRun } from './shown-run.ts';

/** A colour of the style sheet, in the scheme of now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Pixels of the canvas at an instant in ms, inside the plot. */
export function xAt(u: uPlot, ms: number): number {
  const { left, width } = u.bbox;
  return Math.min(left + width, Math.max(left, u.valToPos(ms / 1000, 'x', true)));
}

export function shade(u: uPlot, run: ShownRun): void {
  const { ctx, bbox } = u;
  const rect = (fill: string, fromMs: number, toMs: number) => {
    ctx.fillStyle = colour(fill);
    ctx.fillRect(xAt(u, fromMs), bbox.top, xAt(u, toMs) - xAt(u, fromMs), bbox.height);
  };
  ctx.save();
  const { stretches, faults } = run.timeline;
  const firstMs = stretches.find(({ name }) => name !== 'warm-up')?.startMs ?? run.atMs;
  rect('warm', 0, firstMs);
  for (const { startMs, endMs, healed } of faults) rect('shade', startMs, healed ? endMs : run.atMs);
  ctx.strokeStyle = colour('muted');
  ctx.setLineDash([2, 3]);
  ctx.beginPath();
  for (const { startMs } of stretches.slice(1)) {
    ctx.moveTo(xAt(u, startMs), bbox.top);
    ctx.lineTo(xAt(u, startMs), bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

/** The names of the phases along the top, where there is room for them. */
export function namePhases(u: uPlot, run: ShownRun): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = colour('muted');
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'left'; // uPlot leaves the one of its axes
  ctx.textBaseline = 'bottom';
  for (const { name, startMs, endMs } of run.timeline.stretches) {
    const [from, to] = [xAt(u, startMs), xAt(u, Math.min(endMs, run.atMs))];
    const width = ctx.measureText(name).width;
    if (to - from > width + 8 * devicePixelRatio) ctx.fillText(name, (from + to - width) / 2, bbox.top - 2);
  }
  ctx.restore();
}
