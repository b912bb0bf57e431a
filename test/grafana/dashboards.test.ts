import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LabMetrics } from '../../chaos/watch/lab-metrics.ts';
import { dashboardDirectory, dashboardFile, dashboards } from '../../grafana/generate.ts';
import { datasourceUid } from '../../grafana/parts.ts';
import { substituted } from '../../grafana/variables.ts';
import { deployed, limiterJob, ruleGroups } from '../../prometheus/rules.ts';
import { type Finding, lint } from '../support/dashboard-lint.ts';
import { committedDashboards, panelsOf, queriesOf } from '../support/dashboards.ts';
import { buildHistory } from '../support/history-builder.ts';
import { type Selector, selectorsIn, seriesOn } from '../support/promql.ts';
import { startService } from '../support/service.ts';
import { until } from '../support/until.ts';

/** What dashboard-linter would say and we mean, and why. */
const exceptions: readonly { readonly rule: string; readonly detail: RegExp; readonly why: string }[] = [
  { rule: 'target-job-rule', detail: /^chaos_/, why: 'the lab is one job; a run is chosen by $scenario' },
  { rule: 'target-instance-rule', detail: /^chaos_/, why: 'likewise' },
  { rule: 'target-instance-rule', detail: /^job:/, why: 'recorded over all instances of a job' },
  {
    rule: 'target-instance-rule',
    detail: /^instance:rate_limit_breaker_closed:ratio$/,
    why: 'who disagrees is told from all instances of the job, of which some may be chosen',
  },
  { rule: 'target-job-rule', detail: /^ALERTS$/, why: 'an alert on absence has neither job nor instance' },
  { rule: 'target-instance-rule', detail: /^ALERTS$/, why: 'likewise' },
  { rule: 'target-counter-agg-rule', detail: /^chaos_hot_key_admitted_total$/, why: 'held against a bound on the sum' },
];
const isMeant = ({ rule, detail }: Finding) =>
  exceptions.some((exception) => exception.rule === rule && exception.detail.test(detail));

/** Metrics of the service that are on no dashboard and in no rule, and why. */
const notShown: Readonly<Record<string, string>> = {
  rate_limit_request_mistakes_total:
    'of one policy each, and 0 where a policy suits its requests: for whoever writes it',
  rate_limit_log_lines_dropped_total: 'of the log, not of limiting: whoever misses a line asks for it',
  process_cpu_user_seconds_total: 'part of process_cpu_seconds_total',
  process_cpu_system_seconds_total: 'part of process_cpu_seconds_total',
  process_virtual_memory_bytes: 'Node reserves address space that it does not use',
  process_heap_bytes: 'part of resident memory that nobody acts on',
  nodejs_eventloop_lag_seconds: 'one sample; the histogram behind p99 sees all',
  nodejs_eventloop_lag_min_seconds: 'says nothing of a pause',
  nodejs_eventloop_lag_max_seconds: 'p99 tells what requests feel',
  nodejs_eventloop_lag_stddev_seconds: 'mean and p99 are shown',
  nodejs_eventloop_lag_p50_seconds: 'mean and p99 are shown',
  nodejs_eventloop_lag_p90_seconds: 'mean and p99 are shown',
  nodejs_heap_size_total_bytes: 'used heap and resident memory are shown',
  nodejs_external_memory_bytes: 'buffers are part of resident memory',
  nodejs_heap_space_size_total_bytes: 'by space: for a profiler',
  nodejs_heap_space_size_used_bytes: 'by space: for a profiler',
  nodejs_heap_space_size_available_bytes: 'by space: for a profiler',
  nodejs_version_info: 'constant; for a join when versions are mixed',
};

type Series = ReturnType<typeof seriesOn>;

/** The selectors, as `metric{matchers}`, that no series fulfils by its fixed labels. */
function unfulfilled(selectors: readonly Selector[], known: Series): string[] {
  const byMetric = Map.groupBy(known, ({ metric }) => metric);
  return selectors
    .filter(({ metric, matchers }) => {
      const fixed = matchers.filter(
        ({ operator, label }) => operator === '=' && label !== 'job' && label !== 'instance',
      );
      const series = byMetric.get(metric) ?? [];
      return !series.some(({ labels }) => fixed.every(({ label, value }) => labels.get(label) === value));
    })
    .map(({ metric, matchers }) => `${metric}{${matchers.map((m) => m.label + m.operator + m.value).join()}}`);
}

const pages = committedDashboards();
const queries = pages.flatMap(queriesOf);
const rules = ruleGroups(deployed).flatMap((group) => group.rules);
const recorded = rules.flatMap((rule) => ('record' in rule ? [rule.record] : []));

let servicePage: string;
let labPage: string;
beforeAll(async () => {
  await using service = await startService();
  await until('a garbage collection', async () => {
    for (let i = 0; i < 500; i++) await (await fetch(service.url)).text();
    servicePage = await (await fetch(`${service.url}/metrics`)).text();
    return servicePage.includes('nodejs_gc_duration_seconds_sum{');
  });
  await using lab = new LabMetrics('partition');
  const port = await lab.listen('127.0.0.1');
  lab.record(buildHistory().run);
  lab.judged([{ name: 'trip', phase: 'onset', verdict: 'pass', measured: 7, limit: 65, unit: 'ms', detail: '' }]);
  labPage = await (await fetch(`http://127.0.0.1:${port}`)).text();
});

/** All that Prometheus has: scraped, recorded, and of its own. */
const knownSeries = (): Series => [
  ...seriesOn(servicePage),
  ...seriesOn(labPage),
  ...recorded.map((metric) => ({ metric, labels: new Map<string, string>() })),
  { metric: 'up', labels: new Map() },
  { metric: 'ALERTS', labels: new Map([['alertstate', 'firing']]) },
];

describe('the dashboards', () => {
  it('are three, and are found by this test with their queries', () => {
    expect(pages.map(({ title, uid }) => [title, uid])).toEqual([
      ['Limiter', 'failopen-limiter'],
      ['Chaos run', 'failopen-chaos-run'],
      ['Fleet', 'failopen-fleet'],
    ]);
    expect(pages.map((page) => panelsOf(page).length)).toEqual([18, 9, 9]);
    expect(queries.length).toBeGreaterThan(40);
  });

  it('are what npm run dashboards writes', () => {
    for (const [file, dashboard] of dashboards) {
      expect(readFileSync(join(dashboardDirectory, file), 'utf8'), file).toBe(dashboardFile(dashboard));
    }
  });

  it('have titles and ids that no other has, and choose the fleet without the control arm', () => {
    expect(new Set(pages.map(({ title }) => title)).size).toBe(pages.length);
    expect(new Set(pages.map(({ uid }) => uid)).size).toBe(pages.length);
    for (const { templating, links, annotations } of pages) {
      expect(templating?.list?.map(({ name, current }) => [name, current?.value])).toEqual([
        ['datasource', datasourceUid],
        ['job', limiterJob],
        ['instance', '$__all'],
        ['scenario', '$__all'],
      ]);
      expect(links?.map(({ type, tags, includeVars, keepTime }) => [type, tags, includeVars, keepTime])).toEqual([
        ['dashboards', ['failopen'], true, true],
      ]);
      expect(annotations?.list?.map(({ name, enable, expr }) => [name, enable, expr])).toEqual([
        ['Faults', true, 'chaos_fault_active{scenario=~"$scenario"} == 1'],
        ['Phases', false, 'chaos_phase{scenario=~"$scenario"} == 1'],
      ]);
    }
  });

  it('draw the promise as a line wherever they show how long answers took', () => {
    const timed = pages.flatMap(panelsOf).filter(({ title }) => /^(Latency|Time to decide)/.test(title ?? ''));
    expect(timed.map(({ title, fieldConfig }) => [title, fieldConfig?.defaults.thresholds?.steps[1]?.value])).toEqual([
      ['Time to decide', 0.009],
      ['Latency, faulted arm', 0.009],
      ['Latency, control arm', 0.009],
      ['Time to decide, p99', 0.009],
    ]);
  });

  it('meet the rules of dashboard-linter, but for the exceptions that have a reason', () => {
    expect(pages.flatMap(lint).filter((finding) => !isMeant(finding))).toEqual([]);
  });

  it('need every exception', () => {
    const findings = pages.flatMap(lint);
    const unused = exceptions.filter(
      ({ rule, detail }) => !findings.some((finding) => finding.rule === rule && detail.test(finding.detail)),
    );
    expect(unused).toEqual([]);
  });

  it('name only series that are on a live page or recorded', () => {
    const selectors = queries.flatMap(({ expr }) => selectorsIn(substituted(expr, '.+')));
    const annotations = pages.flatMap(({ annotations }) => annotations?.list ?? []);
    const shaded = annotations.flatMap((it) => selectorsIn(substituted(String(it.expr), '.+')));
    expect(shaded.map(({ metric }) => metric)).toContain('chaos_fault_active');
    expect(unfulfilled([...selectors, ...shaded], knownSeries())).toEqual([]);
  });

  it('show every metric of the service that is not said to be left out', () => {
    const base = (metric: string) => metric.replace(/_(bucket|sum|count)$/, '');
    const exprs = [...queries, ...rules].map(({ expr }) => substituted(expr, '.+'));
    const used = new Set(exprs.flatMap(selectorsIn).map(({ metric }) => base(metric)));
    const all = new Set(seriesOn(servicePage).map(({ metric }) => base(metric)));
    expect([...all].filter((metric) => !used.has(metric) && !(metric in notShown))).toEqual([]);
    expect(Object.keys(notShown).filter((metric) => used.has(metric) || !all.has(metric))).toEqual([]);
  });

  it('would be caught with a misspelt metric or label value', () => {
    const bad = ['rate(rate_limit_request_total[4s])', 'rate_limit_breaker_state{state="opened"}'].flatMap(selectorsIn);
    expect(unfulfilled(bad, knownSeries())).toEqual([
      'rate_limit_request_total{}',
      'rate_limit_breaker_state{state=opened}',
    ]);
  });

  it('would be caught breaking a rule of dashboard-linter', () => {
    const [page] = committedDashboards();
    if (!page) throw new Error('no dashboard');
    const panel = panelsOf(page)[4];
    if (!panel) throw new Error('no panel');
    page.editable = true;
    page.templating = { list: [] };
    delete panel.description;
    delete panel.fieldConfig?.defaults.unit;
    panel.datasource = { uid: 'a-fixed-one' };
    const expr = 'rate(a_total[5m]) + b_total';
    Object.assign(panel, { targets: [{ expr }, { expr: 'sum(rate(a_total[5m])' }] });
    const rulesBroken = lint(page)
      .filter((finding) => !isMeant(finding))
      .map(({ rule }) => rule);
    expect([...new Set(rulesBroken)].sort()).toEqual([
      'panel-datasource-rule',
      'panel-title-description-rule',
      'panel-units-rule',
      'target-counter-agg-rule',
      'target-instance-rule',
      'target-job-rule',
      'target-promql-rule',
      'target-rate-interval-rule',
      'template-datasource-rule',
      'template-instance-rule',
      'template-job-rule',
      'uneditable-dashboard',
    ]);
  });
});
