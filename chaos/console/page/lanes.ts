// The lanes: what each chart of the console is made of. The figures come from the server, which computes them as the
// report does.

import uPlot from 'uplot';
import { figure, seconds } from '../../report/figures.ts';
import type { LiveBin } from '../messages.ts';
import { colour, xAt } from './canvas.ts';
import { type ShownRun, worstOf } from './shown-run.ts';
import { binSeconds, countIn, type Lane, stackedLane } from './stacked-lane.ts';

const answerLayers = [
  ['store allowed', 'shared'],
  ['store refused', 'shared-pale'],
  ['fallback allowed', 'local'],
  ['fallback refused', 'local-pale'],
  ['no bucket allowed', 'reason-3'],
  ['no bucket refused', 'reason-4'],
  ['unreported', 'reason-5'],
  ['failed', 'fail'],
] as const;
const detourLayers = [
  ['breaker not closed', 'local'],
  ['call to Redis failed or late', 'reason-2'],
  ['other', 'fail'],
] as const;
const storeErrorLayers = [
  ['timeout', 'reason-2'],
  ['disconnected', 'local'],
  ['other', 'fail'],
] as const;
const laneHeight = 26;
const stateColours: Readonly<Record<string, string>> = { closed: 'shared-pale', open: 'local', 'half-open': 'p99' };

export function lanesOf(run: ShownRun): Lane[] {
  return [latencyLane(run), answersLane(), breakerLane(run), storeErrorsLane(), admissionLane(), detoursLane()];
}

function latencyLane(run: ShownRun): Lane {
  const limitMs = run.run.bounds.p99Ms;
  const line = (name: string, width: number, dash?: number[]): uPlot.Series => ({
    stroke: colour(name),
    width,
    points: { show: false },
    ...(dash ? { dash } : {}),
  });
  const dots = (u: uPlot) => {
    const { ctx } = u;
    ctx.save();
    ctx.globalAlpha = 0.4;
    const size = 2.5 * devicePixelRatio;
    const fills = [colour('dots'), colour('control')];
    for (const { atMs, latencyMs, control } of run.points) {
      ctx.fillStyle = fills[Number(control)] ?? '';
      ctx.fillRect(xAt(u, atMs), u.valToPos(Math.max(latencyMs, 0.1), 'y', true), size, size);
    }
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colour('fail');
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([8, 4]);
    const y = u.valToPos(limitMs, 'y', true);
    ctx.beginPath();
    ctx.moveTo(u.bbox.left, y);
    ctx.lineTo(u.bbox.left + u.bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };
  return {
    title: 'Latency as the client sees it',
    height: 230,
    legend: [
      ['p99', 'p99'],
      ['p50', 'p50'],
      ['dots', 'single answers, a sample'],
      ['control', 'p99 of the control arm'],
      ['fail', `the limit, ${limitMs} ms`],
    ],
    options: {
      series: [{}, line('control', 1.5, [5, 3]), line('p50', 2), line('p99', 2.5)],
      scales: {
        y: {
          distr: 3,
          range: () => {
            const most = run.points.reduce((max, { latencyMs }) => Math.max(max, latencyMs), 2 * limitMs);
            return [0.1, 10 ** Math.ceil(Math.log10(most))];
          },
        },
      },
      axes: [
        {
          filter: (_u, splits) => splits.map((ms) => (isPowerOfTen(ms) ? ms : null)),
          grid: {
            filter: (_u, splits) => splits.map((ms) => (isPowerOfTen(ms) ? ms : null)),
            stroke: colour('rule'),
            width: 1,
          },
          values: (_u, values) => values.map((ms) => (ms === null ? null : msText(ms))),
        },
      ],
      hooks: { drawAxes: [dots] },
    },
    data: ({ bins }) => [
      middles(bins),
      bins.map(({ controlP99 }) => controlP99),
      bins.map(({ p50 }) => p50),
      bins.map(({ p99 }) => p99),
    ],
    words: ({ bins }) => {
      return `Latency: the highest p99 of a quarter second is ${figure(worstOf(bins, 'p99'))} ms; the limit is ${limitMs} ms.`;
    },
  };
}

function answersLane(): Lane {
  return stackedLane('Answers per second, by who decided', answerLayers, ({ outcomes }, name) => outcomes[name], 150);
}

function storeErrorsLane(): Lane {
  const title = 'Store errors: calls to Redis that failed, by reason';
  const countOf = countIn(storeErrorLayers);
  return stackedLane(
    title,
    storeErrorLayers,
    ({ startMs }, name, run) => countOf(run.storeErrors.get(startMs), name),
    100,
  );
}

function detoursLane(): Lane {
  const countOf = countIn(detourLayers);
  const title = 'Answers that Redis did not give, by reason';
  return stackedLane(title, detourLayers, ({ detours }, name) => countOf(detours, name), 120);
}

function breakerLane(run: ShownRun): Lane {
  const names = run.run.instances.map(({ name }) => name);
  const bands = (u: uPlot) => {
    const { ctx, bbox } = u;
    const rowHeight = bbox.height / Math.max(1, names.length);
    ctx.save();
    run.breakers.forEach(({ spans }, i) => {
      for (const { state, startMs, endMs } of spans) {
        ctx.fillStyle = colour(stateColours[state] ?? 'control');
        const x = xAt(u, startMs);
        const width = Math.max(devicePixelRatio, xAt(u, endMs) - x);
        ctx.fillRect(x, bbox.top + i * rowHeight + rowHeight * 0.2, width, rowHeight * 0.6);
      }
    });
    ctx.restore();
  };
  return {
    title: 'Breaker of each instance',
    height: names.length * laneHeight + 46,
    legend: Object.entries(stateColours).map(([state, mark]) => [mark, state] as const),
    options: {
      series: [{}, { show: false }],
      scales: { y: { range: [0, names.length] } },
      axes: [
        {
          grid: { show: false },
          splits: () => names.map((_, i) => names.length - i - 0.5),
          values: () => names.map((name) => name.replace(/^limiter-/, '')),
        },
      ],
      hooks: { draw: [bands] },
    },
    data: ({ shown }) => [
      [shown.fromMs / 1000, shown.toMs / 1000],
      [0, 0],
    ],
    words: ({ breakers }) =>
      breakers
        .map(({ instance, spans }) => {
          const parts = spans.slice(-12).map(({ state, startMs }) => `${state} from ${seconds(startMs, 2)}`);
          return `${instance}: ${parts.join(', ')}.`;
        })
        .join(' '),
  };
}

function admissionLane(): Lane {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    title: 'Tokens admitted against the bound',
    height: 150,
    legend: [
      ['fail', 'may be admitted'],
      ['shared', 'admitted'],
    ],
    options: {
      series: [
        {},
        { stroke: colour('fail'), width: 2, points: { show: false } },
        { stroke: colour('shared'), width: 2.5, points: { show: false }, ...(stepped ? { paths: stepped } : {}) },
      ],
      scales: { y: { range: (_u, _min, max) => [0, Math.max(1, (max || 0) * 1.08)] } },
      axes: [{ values: (_u, values) => values.map(figure) }],
    },
    data: ({ steps }) => [
      steps.map(({ atMs }) => atMs / 1000),
      steps.map(({ bound }) => bound),
      steps.map(({ admitted }) => admitted),
    ],
    words: ({ key, steps }) => {
      const { admitted = 0, bound = 0 } = steps.at(-1) ?? {};
      return `Key ${key} was admitted ${admitted} tokens of at most ${figure(bound)}.`;
    },
  };
}

function middles(bins: readonly LiveBin[]): number[] {
  return bins.map(({ startMs }) => startMs / 1000 + binSeconds / 2);
}

function isPowerOfTen(value: number): boolean {
  return Number.isInteger(Number(Math.log10(value).toFixed(9)));
}

function msText(ms: number): string {
  return ms < 999 ? `${Number(ms.toPrecision(1))} ms` : `${Math.round(ms / 1000)} s`;
}
