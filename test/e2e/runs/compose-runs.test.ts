// Runs on the Compose stack, and how they leave it. They stand in one file, since every stack's Prometheus finds the lab by
// the same directory. On a machine without Docker each test is left out, by name.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compose } from '../../../chaos/drivers/compose.ts';
import { substituted } from '../../../grafana/variables.ts';
import { queryAt, queryRange } from '../../../prometheus/query.ts';
import { limiterJob } from '../../../prometheus/rules.ts';
import { partition } from '../../../scenarios/partition.ts';
import { ComposeStack, quickHealth, stackServices } from '../../support/compose-stack.ts';
import { committedDashboards, queriesOf } from '../../support/dashboards.ts';
import { hasDocker } from '../../support/docker.ts';
import { projectDirectory, temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf } from '../../support/scenario-runs.ts';
import { until } from '../../support/until.ts';

const minuteMs = 60_000;
let stack: ComposeStack;
beforeAll(async () => {
  if (!hasDocker) return;
  stack = await ComposeStack.prepared('failopen-test-runs', quickHealth);
  stack.up(...stackServices);
}, 5 * minuteMs);
afterAll(() => stack?.down(), minuteMs);

/** What the stack's Prometheus is told of the lab: nothing while there is no run. */
const targets = () => readdirSync(join(projectDirectory, 'prometheus', 'lab')).filter((file) => file !== '.gitignore');

/** The stack as anybody sees it, the proxies with their toxics, and the lab as Prometheus's target. */
async function state(): Promise<string[]> {
  const services = stack.docker('compose', 'ps', '--all', '--format', '{{.Service}} {{.ID}} {{.State}} {{.Health}}');
  const networks = stack.docker('network', 'ls', '--format', '{{.Name}}');
  const containers = stack.docker(
    'ps',
    '--all',
    '--filter',
    `network=${stack.project}_default`,
    '--format',
    '{{.Names}}',
  );
  const proxies = await (await fetch(`${stack.urlOf('TOXIPROXY_PORT')}/proxies`)).text();
  return [services, containers, networks.includes(stack.project) ? 'its network' : 'no network', proxies, ...targets()];
}

describe.runIf(hasDocker)('a run on the Compose stack', () => {
  it(
    'has the lab in its Prometheus while a run lasts, with data for every query of the dashboard Chaos run, and is then as it was',
    async () => {
      using out = temporaryDirectory();
      const before = await state();
      const targetsIn = new Map<string, number>();
      for (const [name, value] of Object.entries(stack.environment)) vi.stubEnv(name, value);
      const timing = { warmupMs: 1000, durationMs: 11_000 };
      const once = { use: { kind: 'partition' }, atMs: 4000, forMs: 4000 };
      const { history } = await runOf({ ...partition, timing, faults: [once] }, out.path, {
        driver: compose,
        rate: 200,
        onProgress: ({ phase }) => targetsIn.set(phase, targets().length),
      }).finally(() => vi.unstubAllEnvs());
      const fromS = Date.parse(history.run.startedAt) / 1000;
      const ask = (expr: string) =>
        queryRange(stack.urlOf('PROMETHEUS_PORT'), substituted(expr, limiterJob), fromS, Date.now() / 1000 + 1, 1);

      const faults = await ask('chaos_fault_active');
      const seen = faults.map(({ labels, samples }) => {
        const { instance, job, fault, link, scenario } = labels;
        return [{ instance, job, fault, link, scenario }, new Set(samples.map(([, value]) => value))];
      });
      const labels = { instance: 'lab', job: 'lab', fault: 'partition', scenario: 'partition' };
      expect(seen).toEqual([
        [{ ...labels, link: 'limiter-1-store' }, new Set([0, 1])],
        [{ ...labels, link: 'limiter-2-store' }, new Set([0, 1])],
      ]);
      const page = committedDashboards().find(({ title }) => title === 'Chaos run');
      const queries = page ? queriesOf(page) : [];
      expect(queries.map(({ expr }) => expr).join()).toMatch(/chaos_phase.*chaos_request_latency_seconds_bucket/);
      const empty = [];
      for (const { panel, expr } of queries) {
        const series = await ask(expr);
        if (!series.some(({ samples }) => samples.some(([, value]) => !Number.isNaN(value)))) empty.push([panel, expr]);
      }
      expect(empty).toEqual([]);
      expect([targetsIn.get('baseline'), targetsIn.get('fault')]).toEqual([1, 1]);
      expect(await state()).toEqual(before);
    },
    2 * minuteMs,
  );

  it.each([
    ['partition', ['limiter-1-store', 'limiter-2-store']],
    ['redis-kill', ['redis']],
    ['out-of-memory', ['redis']],
  ])(
    'is as it was, healthy and without a toxic, when %s is interrupted in mid-fault',
    async (scenario, places) => {
      using out = temporaryDirectory();
      const before = await state();
      await using runner = stack.scenario([scenario, '--rate', '200', '--out', out.path]);
      await runner.says(new RegExp(`^${scenario}: fault `, 'm'), minuteMs);
      expect(await state()).not.toEqual(before);
      const shaded = `chaos_fault_active{job="lab", scenario="${scenario}"} == 1`;
      await until('the fault in Prometheus', async () => {
        const series = await queryAt(stack.urlOf('PROMETHEUS_PORT'), shaded, Date.now() / 1000);
        return (
          series
            .map(({ labels }) => labels.link)
            .sort()
            .join() === places.join()
        );
      });
      runner.kill('SIGINT');
      const { status, stderr } = await runner.ended;
      expect({ status, undo: runner.undoFiles }, stderr).toEqual({ status: 130, undo: [] });
      expect(await state()).toEqual(before);
      expect(before[0]?.match(/ running healthy$/gm)).toHaveLength(stackServices.length);
    },
    2 * minuteMs,
  );

  it.each(['partition', 'out-of-memory'])(
    'is soon as it was, though nobody types anything, when the runner of %s is killed in mid-fault',
    async (scenario) => {
      using out = temporaryDirectory();
      const before = await state();
      await using runner = stack.scenario([scenario, '--rate', '200', '--out', out.path]);
      await runner.says(new RegExp(`^${scenario}: fault `, 'm'), minuteMs);
      runner.kill('SIGKILL');
      await runner.ended;
      await until('the end of its record', () => runner.undoFiles.length === 0);
      await until('a stack as before', async () => (await state()).join('\n') === before.join('\n'));
      expect(stack.docker('compose', 'exec', '-T', 'redis', 'redis-cli', 'CONFIG', 'GET', 'maxmemory')).toBe(
        'maxmemory\n0',
      );
    },
    2 * minuteMs,
  );

  it(
    'says so, and ends with 255, when it leaves the stack’s Redis with other settings',
    async () => {
      using out = temporaryDirectory();
      const before = await state();
      await using runner = stack.scenario(['partition', '--rate', '200', '--out', out.path]);
      await runner.says(/^partition: fault /m, minuteMs);
      stack.docker('compose', 'exec', '-T', 'redis', 'redis-cli', 'CONFIG', 'SET', 'hz', '20');
      const { status, stderr } = await runner.ended;
      const line = "The run has left behind: the stack's redis (other settings). Type: npm run heal\n";
      expect({ status, stderr }).toEqual({ status: 255, stderr: expect.stringContaining(line) });
      await until('the end of its record', () => runner.undoFiles.length === 0);
      await until('a stack as before', async () => (await state()).join('\n') === before.join('\n'));
    },
    2 * minuteMs,
  );

  it(
    'ends the run when a part of it exits, with one line that says which; what the lab put there is gone, the rest untouched',
    async () => {
      using out = temporaryDirectory();
      await using runner = stack.scenario(['partition', '--rate', '200', '--out', out.path]);
      await runner.says(/^partition: fault /m, minuteMs);
      stack.kill('limiter-2');
      const { status, stdout, stderr } = await runner.ended;
      const line = /^limiter-2 exited with status 137 in mid-run: .*$/m;
      expect({ status, stdout, stderr }).toEqual({ status: 255, stdout: '', stderr: expect.stringMatching(line) });
      expect({ undo: runner.undoFiles, targets: targets() }).toEqual({ undo: [], targets: [] });
      const [services, , , proxies = ''] = await state();
      expect(services?.match(/ running healthy$/gm)).toHaveLength(stackServices.length - 1);
      const toxics = Object.entries(JSON.parse(proxies) as Record<string, { toxics: unknown[] }>);
      expect(toxics.map(([name, { toxics }]) => [name, toxics])).toEqual([
        ['limiter-1-front', []],
        ['limiter-1-store', []],
        ['limiter-2-front', []],
        ['limiter-2-store', []],
      ]);
    },
    2 * minuteMs,
  );
});
