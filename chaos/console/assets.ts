// The page's files as they are served. Browser code is TypeScript with its types taken off, and the few modules of the
// report that it shares; nothing is built, and nothing comes from elsewhere.

import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly text: string;
}

const chaos = join(import.meta.dirname, '..');
const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot')));
const modules = [
  'console/page/main.ts',
  'console/page/shown-run.ts',
  'console/page/charts.ts',
  'console/page/canvas.ts',
  'console/page/lanes.ts',
  'console/page/stacked-lane.ts',
  'console/page/panels.ts',
  'console/page/dom.ts',
  'ascending.ts',
  'history.ts',
  'run-event.ts',
  'outcome.ts',
  'scenario.ts',
  'report/breaker-lane.ts',
  'report/store-errors-lane.ts',
  'report/timeline.ts',
  'report/figures.ts',
] as const;

/** By path. */
export function assets(): ReadonlyMap<string, Asset> {
  const read = (path: string) => readFileSync(path, 'utf8');
  const script = (text: string): Asset => ({ type: 'text/javascript; charset=utf-8', text });
  const style = (path: string): Asset => ({ type: 'text/css; charset=utf-8', text: read(path) });
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', text: read(join(chaos, 'console/page/index.html')) }],
    ['/report.css', style(join(chaos, 'report/page/report.css'))], // the palette, and what both have
    ['/console.css', style(join(chaos, 'console/page/console.css'))],
    ['/uplot.css', style(join(uplot, 'uPlot.min.css'))],
    ['/uplot.js', script(read(join(uplot, 'uPlot.esm.js')))],
    ...modules.map((path): [string, Asset] => {
      const stripped = stripTypeScriptTypes(read(join(chaos, path)));
      return [`/modules/${path}`, script(stripped.replace(`from 'uplot'`, `from '/uplot.js'`))];
    }),
  ]);
}
