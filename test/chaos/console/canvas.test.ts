import type uPlot from 'uplot';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { namePhases } from '../../../chaos/console/page/canvas.ts';
import type { ShownRun } from '../../../chaos/console/page/shown-run.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the name of a phase', () => {
  it('stands in the middle of its phase, whatever way the axes have written before', () => {
    vi.stubGlobal('devicePixelRatio', 1);
    vi.stubGlobal('document', {});
    vi.stubGlobal('getComputedStyle', () => ({ getPropertyValue: () => 'grey' }));
    const drawn: [text: string, align: string, x: number][] = [];
    const ctx = {
      textAlign: 'right',
      save() {},
      restore() {},
      measureText: () => ({ width: 40 }),
      fillText: (text: string, x: number) => drawn.push([text, ctx.textAlign, x]),
    };
    const u = { ctx, bbox: { left: 0, top: 20, width: 500, height: 100 }, valToPos: (s: number) => s * 100 };
    const stretches = [
      { name: 'baseline', startMs: 0, endMs: 2000 },
      { name: 'onset', startMs: 2000, endMs: 2400 },
      { name: 'fault', startMs: 2400, endMs: 3400 },
    ];
    namePhases(u as unknown as uPlot, { timeline: { stretches }, atMs: 5000 } as unknown as ShownRun);
    expect(drawn).toEqual([
      ['baseline', 'left', 80],
      ['fault', 'left', 270],
    ]);
  });
});
