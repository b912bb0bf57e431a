// A partition with a real Prometheus: what dashboards, alerts and counters show of it. The run is made once, everything is
// asked while its Prometheus still stands, and each test looks at the answers.

import { beforeAll, describe, expect, it } from 'vitest';
import { serviceEnvironment } from '../../chaos/bounds.ts';
import { native } from '../../chaos/drivers/native.ts';
import { partition as partitionFault } from '../../chaos/faults/network.ts';
import { type AnswerEvent, type History, isControl } from '../../chaos/history.ts';
import { type RunResult, runScenario } from '../../chaos/runner.ts';
import { controlName } from '../../chaos/scenario.ts';
import { substituted } from '../../grafana/variables.ts';
import { queryAt, queryRange, type Series } from '../../prometheus/query.ts';
import { limiterJob } from '../../prometheus/rules.ts';
import { partition } from '../../scenarios/partition.ts';
import { committedDashboards, type Query, queriesOf } from '../support/dashboards.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';
import { until } from '../support/until.ts';

const attemptsMax = 3;
/** How far apart the run's clock and Prometheus's may be. */
const clockMsMax = 20;

/** Where a panel must have data; `fault` for all others. */
const dataIn: Readonly<Record<string, string>> = {
  'Time of Redis': 'baseline', // there are no calls while the breaker is open
  'Check verdicts': 'end',
};

interface Observed {
  readonly history: History;
  readonly panels: readonly (Query & { readonly series: readonly Series[] })[];
  readonly alerts: readonly Series[];
  readonly counters: readonly Series[];
  readonly answers: readonly Series[];
  readonly scrapes: { readonly seconds: readonly Series[]; readonly series: readonly Series[] };
  readonly misspelt: readonly Series[];
}

const queries = committedDashboards().flatMap(queriesOf);

async function observe(url: string, history: History): Promise<Observed> {
  const endS = Date.now() / 1000;
  await until('a scrape of every target after the end', 5000, async () => {
    const last = await queryAt(url, 'min(timestamp(up)) and on () chaos_check_verdict', Date.now() / 1000);
    return (last[0]?.samples[0]?.[1] ?? 0) > endS;
  });
  const fromS = Date.parse(history.run.startedAt) / 1000;
  const toS = Date.now() / 1000 + 1; // the last step of a range is not after it
  const range = (expr: string) => queryRange(url, expr, fromS, toS, 1);
  const panels = [];
  for (const query of queries) panels.push({ ...query, series: await range(substituted(query.expr, limiterJob)) });
  return {
    history,
    panels,
    alerts: await range(`ALERTS{alertstate="firing", job!="${controlName}"}`), // there it is the machine's noise
    counters: await queryAt(url, `rate_limit_requests_total{job="${limiterJob}"}[2m]`, toS),
    answers: await queryAt(url, 'chaos_answers_total{arm="faulted"}', toS),
    scrapes: {
      seconds: await queryAt(url, `quantile_over_time(0.5, scrape_duration_seconds{job="${limiterJob}"}[30s])`, toS),
      series: await queryAt(url, `max_over_time(scrape_samples_scraped{job="${limiterJob}"}[30s])`, toS),
    },
    misspelt: await range('sum(rate(rate_limit_request_total[4s]))'),
  };
}

async function observedRun(seed: number): Promise<{ result: RunResult; observed: Observed }> {
  using out = temporaryDirectory();
  let observed: Observed | undefined;
  const result = await runScenario({
    scenario: partition,
    fault: partitionFault(),
    driver: native,
    seed,
    rate: 1000,
    service: serviceEnvironment(partition.service, {}),
    out: out.path,
    signal: new AbortController().signal,
    onProgress: () => {},
    async beforeEnd({ prometheusUrl }, history) {
      observed = await observe(prometheusUrl, history);
    },
  });
  if (!observed) throw new Error('the run ended before it was observed');
  return { result, observed };
}

let observed: Observed;
beforeAll(async () => {
  for (let seed = 1; seed <= attemptsMax; seed++) {
    const run = await observedRun(seed);
    observed = run.observed;
    if (run.result.verdict !== 'unknown') break; // otherwise the machine was too noisy to tell anything
  }
}, attemptsMax * 60_000);

/** Unix seconds. */
const atS = (ms: number) => (Date.parse(observed.history.run.startedAt) + ms) / 1000;

function phaseS(name: string): readonly [number, number] {
  const phase = observed.history.phases.find((it) => it.name === name);
  const endMs = observed.history.phases.at(-1)?.endMs ?? 0;
  return phase ? [atS(phase.startMs), atS(phase.endMs)] : [atS(endMs), Number.POSITIVE_INFINITY];
}

const hasDataIn = (series: readonly Series[], [fromS, toS]: readonly [number, number]) =>
  series.some(({ samples }) => samples.some(([s, value]) => s >= fromS && s <= toS && !Number.isNaN(value)));

/** The first and the last second in which it fired; undefined for never. */
function fired(alert: Series): readonly [number, number] {
  const times = alert.samples.map(([s]) => s);
  return [times[0] ?? Number.NaN, times.at(-1) ?? Number.NaN];
}

const failingOpen = () => observed.alerts.filter(({ labels }) => labels.alertname === 'RateLimiterFailingOpen');
const [inject, heal] = ['inject', 'heal'].map(
  (action) => () => atS(observed.history.faults.find((event) => event.action === action)?.beginMs ?? Number.NaN),
);

describe('the dashboards on a partition', () => {
  it('have data in every query, in the phase in which there is something to see', () => {
    const empty = observed.panels.filter(({ panel, series }) => !hasDataIn(series, phaseS(dataIn[panel] ?? 'fault')));
    expect(empty.map(({ dashboard, panel, expr }) => [dashboard, panel, expr])).toEqual([]);
    expect(observed.panels.length).toBe(queries.length);
  });

  it('would have none with a misspelt metric', () => {
    expect(hasDataIn(observed.misspelt, phaseS('fault'))).toBe(false);
  });

  const lastIn = (panelTitle: string, phase: string, legend?: string) => {
    const [fromS, toS] = phaseS(phase);
    const panel = observed.panels.find(
      (it) => it.panel === panelTitle && (legend === undefined || it.legend === legend),
    );
    return panel?.series.map(
      ({ labels, samples }) => [labels, samples.findLast(([s]) => s >= fromS && s <= toS)?.[1] ?? Number.NaN] as const,
    );
  };

  it('show who decides: Redis before the fault, the fallback in it', () => {
    const share = (phase: string) => lastIn('Failing open', phase)?.[0]?.[1];
    expect(share('baseline')).toBeLessThan(0.01);
    expect(share('fault')).toBeGreaterThan(0.99);
  });

  it('show every breaker open in the fault and closed at the end', () => {
    const states = (phase: string) => lastIn('Breaker', phase)?.map(([{ instance }, value]) => [instance, value]);
    expect(states('baseline')).toEqual([
      ['limiter-1', 0],
      ['limiter-2', 0],
    ]);
    const [first, second] = states('fault')?.map(([, value]) => Number(value)) ?? [];
    expect([first, second].every((state) => state === 1 || state === 2)).toBe(true); // 1 if a probe is under way
    expect(states('recovered')).toEqual([
      ['limiter-1', 0],
      ['limiter-2', 0],
    ]);
  });

  it('show the most popular key under its bound', () => {
    const admitted = lastIn('Most popular key: admitted, and the bound', 'recovered', 'admitted')?.[0]?.[1];
    const bound = lastIn('Most popular key: admitted, and the bound', 'recovered', 'bound')?.[0]?.[1];
    expect(admitted).toBeGreaterThan(20);
    expect(bound).toBeGreaterThanOrEqual(admitted ?? Number.POSITIVE_INFINITY);
  });
});

describe('the alerts on a partition', () => {
  it('fire that the limiter is failing open within 10 s of the fault, and never before it did fail open', () => {
    const { answers, run } = observed.history;
    const control = run.instances.find((instance) => instance.control)?.name;
    const fellBack = answers.filter(({ mechanism, instance }) => mechanism === 'fallback' && instance !== control);
    const firstS = atS(Math.min(...fellBack.map(({ scheduledMs }) => scheduledMs)));
    const injectS = inject?.() ?? Number.NaN;
    expect(failingOpen().map(({ labels }) => labels.job)).toEqual([limiterJob]);
    const [alert] = failingOpen() as [Series];
    expect(fired(alert)[0]).toBeGreaterThan(firstS);
    const sinceFault = alert.samples.map(([atS]) => atS - injectS).filter((s) => s > 0);
    expect(Math.min(...sinceFault)).toBeLessThan(10);
  });

  it('resolve after the recovery', () => {
    const [, lastS] = fired(failingOpen()[0] as Series);
    expect(lastS - (heal?.() ?? 0)).toBeGreaterThan(0);
    expect(lastS).toBeLessThan(phaseS('end')[0]);
  });

  it('page for nothing else', () => {
    const pages = observed.alerts.filter(({ labels }) => labels.severity === 'page');
    const told = pages.map((alert) => [alert.labels.alertname, ...fired(alert).map((s) => s - atS(0))]);
    // From the baseline on: before its first scrapes Prometheus has no instance to know of.
    const since = told.filter(([, , lastS]) => Number(lastS) > phaseS('baseline')[0] - atS(0));
    expect(since, JSON.stringify(told)).toEqual([['RateLimiterFailingOpen', expect.any(Number), expect.any(Number)]]);
  });
});

describe('the counters of a partition', () => {
  const faulted = () => observed.history.answers.filter(({ instance }) => !isControl(observed.history, instance));
  const valueIn = (series: readonly Series[], labels: Readonly<Record<string, string>>) =>
    series.find((it) => Object.entries(labels).every(([name, value]) => it.labels[name] === value))?.samples ?? [];
  const classes = ['limiter-1', 'limiter-2'].flatMap((instance) =>
    (['redis', 'fallback'] as const).flatMap((mechanism) => [
      { instance, mechanism, code: 200, status: 'allowed' },
      { instance, mechanism, code: 429, status: 'blocked' },
    ]),
  );
  const answersOf = ({ instance, mechanism, code }: (typeof classes)[number]): AnswerEvent[] =>
    faulted().filter((it) => it.instance === instance && it.mechanism === mechanism && it.status === code);

  it.each(classes)('equal what clients counted: $instance $status by $mechanism', (kind) => {
    const { instance, mechanism, status, code } = kind;
    const answers = answersOf(kind);
    // The lab's own counter: all of them, exactly.
    const labels = { limiter: instance, mechanism, status: String(code) };
    expect(valueIn(observed.answers, labels)[0]?.[1]).toBe(answers.length);

    // The service's, between a scrape in the warm-up and the last one; a decision falls between sending and receipt.
    const samples = valueIn(observed.counters, { instance, mechanism, status });
    const first = samples.find(([s]) => s > atS(0));
    const last = samples.at(-1);
    if (!first || !last) throw new Error('nothing was scraped');
    const surely = answers.filter(({ sentMs }) => atS(sentMs - clockMsMax) > first[0]).length;
    const possibly = answers.filter(({ receivedMs }) => atS(receivedMs + clockMsMax) > first[0]).length;
    const counted = last[1] - first[1];
    expect([counted >= surely, counted <= possibly], `${surely} ≤ ${counted} ≤ ${possibly}`).toEqual([true, true]);
    expect(counted).toBeGreaterThan(100);
  });
});

describe('a scrape of a loaded instance', () => {
  it('takes less than 20 ms', () => {
    const seconds = observed.scrapes.seconds.map(({ samples }) => samples[0]?.[1]);
    expect(seconds.length).toBe(2);
    for (const value of seconds) expect(value).toBeLessThan(0.02);
  });

  it('reads at most 200 series', () => {
    const series = observed.scrapes.series.map(({ samples }) => samples[0]?.[1]);
    expect(series.length).toBe(2);
    for (const value of series) expect(value).toBeLessThanOrEqual(200);
  });
});
