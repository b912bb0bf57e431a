// The rule files by promtool: what Prometheus itself thinks of them, and every alert firing and silent.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { serviceDefaults } from '../../chaos/bounds.ts';
import { LabMetrics } from '../../chaos/watch/lab-metrics.ts';
import { ruleFile, ruleFiles } from '../../prometheus/generate.ts';
import { prometheusConfig } from '../../prometheus/native.ts';
import { deployed, lab, ruleGroups, type Thresholds, thresholds } from '../../prometheus/rules.ts';
import { eventsOf } from '../support/history-builder.ts';
import { projectDirectory, temporaryDirectory } from '../support/lab-processes.ts';
import { startService } from '../support/service.ts';

const directory = join(projectDirectory, 'prometheus');
const unitTests = 'rules.test.yml';

interface UnitTest {
  readonly input_series: readonly { readonly series: string }[];
}

/** The metrics that each threshold is about, so that only their unit tests need to run. */
const metricOf: Readonly<Record<keyof Thresholds, string>> = {
  failOpenRatio: 'rate_limit_requests_total',
  flappingOpenings: 'rate_limit_breaker_transitions_total',
  burnPage: 'rate_limit_latency_seconds_bucket',
  burnTicket: 'rate_limit_latency_seconds_bucket',
  storeErrorsPerSecond: 'rate_limit_store_errors_total',
  fallbackKeys: 'rate_limit_fallback_keys',
};

/** What promtool says and whether it is content. */
function promtool(args: readonly string[], input = ''): { ok: boolean; said: string } {
  try {
    return { ok: true, said: execFileSync('promtool', args, { input, encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { ok: false, said: `${stdout}${stderr}` };
  }
}

/** promtool's unit tests, all or some, with the rules as they would be with these thresholds. */
function unitTestsWith(limits: Thresholds, some: (test: UnitTest) => boolean = () => true) {
  using elsewhere = temporaryDirectory();
  const { tests, ...rest } = parse(readFileSync(join(directory, unitTests), 'utf8')) as { tests: UnitTest[] };
  writeFileSync(join(elsewhere.path, unitTests), stringify({ ...rest, tests: tests.filter(some) }));
  writeFileSync(join(elsewhere.path, 'rules.yml'), ruleFile(ruleGroups(deployed, limits)));
  return promtool(['test', 'rules', join(elsewhere.path, unitTests)]);
}

describe('the rules', () => {
  it('are what npm run dashboards writes', () => {
    for (const [file, text] of ruleFiles) expect(readFileSync(join(directory, file), 'utf8'), file).toBe(text);
  });

  it.each([...ruleFiles.keys()])('in %s are accepted by promtool', (file) => {
    const { ok, said } = promtool(['check', 'rules', '--lint-fatal', join(directory, file)]);
    expect(ok, said).toBe(true);
  });

  it('differ between a deployment and the lab in their windows alone', () => {
    const withoutWindows = (windows: typeof deployed) =>
      JSON.stringify(ruleGroups(windows)).replace(/\[\w+\]|"(interval|for)":"\w+"|(for|in) \d+\w+/g, '');
    expect(withoutWindows(lab)).toBe(withoutWindows(deployed));
  });

  it('fire and stay silent as promtool’s unit tests say', () => {
    expect(unitTestsWith(thresholds).said).toContain('SUCCESS');
    expect(promtool(['test', 'rules', join(directory, unitTests)]).ok).toBe(true);
  });

  it('of the lab page for an absent limiter, but not while its stack starts', () => {
    const { ok, said } = promtool(['test', 'rules', join(directory, 'rules-lab.test.yml')]);
    expect(ok, said).toBe(true);
  });

  it.each(
    (Object.keys(thresholds) as (keyof Thresholds)[]).flatMap(
      (name) =>
        [
          [name, 10],
          [name, 0.1],
        ] as const,
    ),
  )('would be caught with %s times %d', (name, factor) => {
    const about = ({ input_series }: UnitTest) => input_series.some(({ series }) => series.startsWith(metricOf[name]));
    const { ok, said } = unitTestsWith({ ...thresholds, [name]: thresholds[name] * factor }, about);
    expect({ ok, said }).toEqual({ ok: false, said: expect.stringContaining('FAILED') });
  });

  it('call fallback buckets near their cap at 80 % of the default cap', () => {
    expect(thresholds.fallbackKeys).toBe(0.8 * Number(serviceDefaults.FALLBACK_MAX_KEYS));
  });

  it('are each tested by promtool both firing and not', () => {
    const { tests } = parse(readFileSync(join(directory, unitTests), 'utf8')) as {
      tests: { promql_expr_test: { exp_samples: { labels: string }[] }[] }[];
    };
    const firing = new Set(
      tests.flatMap(({ promql_expr_test }) =>
        promql_expr_test.flatMap(({ exp_samples }) =>
          exp_samples.map(({ labels }) => /alertname="(\w+)".*severity="(\w+)"/.exec(labels)?.slice(1).join(' ')),
        ),
      ),
    );
    const alerts = ruleGroups(deployed).flatMap(({ rules }) =>
      rules.flatMap((rule) => ('alert' in rule ? [`${rule.alert} ${rule.labels.severity}`] : [])),
    );
    expect([...firing].sort()).toEqual(alerts.sort());
  });
});

describe('the configuration of Prometheus', () => {
  it('for Compose is accepted by promtool', () => {
    const { ok, said } = promtool(['check', 'config', join(directory, 'prometheus.yml')]);
    expect(ok, said).toBe(true);
  });

  it('for a run on loopback is accepted by promtool, with the lab’s rules', () => {
    using elsewhere = temporaryDirectory();
    const file = join(elsewhere.path, 'prometheus.yml');
    writeFileSync(file, prometheusConfig([{ job: 'limiter', address: '127.0.0.1:8080', instance: 'limiter-1' }]));
    const { ok, said } = promtool(['check', 'config', file]);
    expect(ok, said).toBe(true);
    expect(said).toContain('rules-lab.yml');
  });
});

describe('the page of the service', () => {
  it('is what promtool expects, under load', async () => {
    await using service = await startService();
    const load = Array.from({ length: 200 }, async () => (await fetch(service.url)).text());
    const page = await (await fetch(`${service.url}/metrics`)).text();
    await Promise.all(load);
    expect(promtool(['check', 'metrics'], page)).toEqual({ ok: true, said: '' });
    expect(promtool(['check', 'metrics'], page.replaceAll('_total', '_sum')).ok).toBe(false);
  });
});

describe('the page of the lab', () => {
  it('is what promtool expects, in a run and once it is judged', async () => {
    await using lab = new LabMetrics('partition');
    const port = await lab.listen('127.0.0.1');
    for (const event of eventsOf()) lab.record(event);
    lab.judged([{ name: 'trip', phase: 'onset', verdict: 'pass', measured: 7, limit: 65, unit: 'ms', detail: '' }]);
    const page = await (await fetch(`http://127.0.0.1:${port}`)).text();
    expect(page).toContain('chaos_check_verdict{check="trip",phase="onset",verdict="pass",scenario="partition"} 1');
    expect(promtool(['check', 'metrics'], page)).toEqual({ ok: true, said: '' });
  });
});
