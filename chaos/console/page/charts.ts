// The lanes as charts over one time axis with one cursor, drawn anew when something came.

import uPlot from 'uplot';
import { colour, namePhases, shade } from './canvas.ts';
import { make } from './dom.ts';
import { lanesOf } from './lanes.ts';
import type { ShownRun } from './shown-run.ts';
import type { Lane } from './stacked-lane.ts';

export class Charts {
  readonly #into: HTMLElement;
  readonly #onCursor: (ms: number | undefined) => void;
  #run: ShownRun | undefined;
  #plots: { readonly lane: Lane; readonly plot: uPlot; readonly figure: HTMLElement }[] = [];

  constructor(into: HTMLElement, onCursor: (ms: number | undefined) => void) {
    this.#into = into;
    this.#onCursor = onCursor;
    new ResizeObserver(() => this.#resize()).observe(into);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.show(this.#run));
  }

  /** Begins anew with a run, or with none. */
  show(run: ShownRun | undefined): void {
    for (const { plot } of this.#plots) plot.destroy();
    this.#into.replaceChildren();
    this.#run = run;
    this.#plots = run ? lanesOf(run).map((lane) => this.#add(lane, run)) : [];
    this.update();
  }

  /** Draws what has come to the run. */
  update(): void {
    const run = this.#run;
    if (!run) return;
    for (const { lane, plot, figure } of this.#plots) {
      plot.setData(lane.data(run));
      figure.setAttribute('aria-label', lane.words(run));
    }
  }

  /** Moves the cursor of every chart, as a pointer does. */
  pointAt(ms: number): void {
    for (const { plot } of this.#plots) plot.setCursor({ left: plot.valToPos(ms / 1000, 'x'), top: 0 });
  }

  #add(lane: Lane, run: ShownRun) {
    const plotAt = make('div', { class: 'plot', role: 'img' });
    const legend = make('ul', { class: 'legend' }, ...lane.legend.map(legendItem));
    const figure = make(
      'figure',
      { class: 'chart' },
      make('figcaption', {}, make('h3', {}, lane.title), legend),
      plotAt,
    );
    this.#into.append(figure);
    const axis = { stroke: colour('muted'), grid: { stroke: colour('rule'), width: 1 }, ticks: { show: false } };
    const [y = {}] = lane.options.axes ?? [];
    const options: uPlot.Options = {
      width: this.#width,
      height: lane.height,
      padding: [16, 18, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'lanes' }, y: false, drag: { x: false, y: false }, points: { show: false } },
      series: [],
      ...lane.options,
      scales: {
        x: {
          time: false,
          range: () => {
            const { fromMs, toMs } = run.shown;
            return [fromMs / 1000, toMs / 1000];
          },
        },
        ...lane.options.scales,
      },
      axes: [
        { ...axis, size: 26, values: (_u, values) => values.map((value) => `${value} s`) },
        { ...axis, size: 62, ...y },
      ],
      hooks: {
        drawClear: [(u) => shade(u, run)],
        ...lane.options.hooks,
        draw: [...(lane.options.hooks?.draw ?? []), (u) => namePhases(u, run)],
        setCursor: [
          (u) => {
            const { left = -1 } = u.cursor;
            this.#onCursor(left < 0 ? undefined : u.posToVal(left, 'x') * 1000);
          },
        ],
      },
    };
    const plot = new uPlot(options, lane.data(run), plotAt);
    return { lane, plot, figure: plotAt };
  }

  get #width(): number {
    return Math.max(200, this.#into.clientWidth);
  }

  #resize(): void {
    for (const { plot, lane } of this.#plots) plot.setSize({ width: this.#width, height: lane.height });
  }
}

function legendItem([mark, text]: Lane['legend'][number]): HTMLElement {
  const item = make('li', {}, text);
  item.style.setProperty('--mark', `var(--${mark})`);
  return item;
}
