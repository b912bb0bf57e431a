// The reference deployment, brought up as a person does it, under a project name and on ports of its own so that it stands
// beside one that is up already. On a machine without Docker each test is left out, by name.

import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compose } from '../../chaos/drivers/compose.ts';
import { freePort } from '../../chaos/host/processes.ts';
import { substituted } from '../../grafana/variables.ts';
import { queryAt, queryRange } from '../../prometheus/query.ts';
import { limiterJob } from '../../prometheus/rules.ts';
import { partition } from '../../scenarios/partition.ts';
import { committedDashboards, queriesOf } from '../support/dashboards.ts';
import { hasDocker } from '../support/docker.ts';
import { LabCommand, projectDirectory, temporaryDirectory } from '../support/lab-processes.ts';
import { runOf } from '../support/scenario-runs.ts';
import { until } from '../support/until.ts';

const minuteMs = 60_000;
/** Grafana needs an image that not every machine can get, and nothing depends on it. */
const stack = ['redis', 'toxiproxy', 'limiter-1', 'limiter-2', 'prometheus'];
const project = 'failopen-test';
const portVariables = [
  'LIMITER_1_PORT',
  'LIMITER_2_PORT',
  'LIMITER_CLUSTER_PORT',
  'LIMITER_SENTINEL_PORT',
  'TOXIPROXY_PORT',
  'PROMETHEUS_PORT',
] as const;

const passedOn = Object.entries(process.env).filter(([name]) => name.endsWith('_IMAGE') || name === 'DOCKER_BUILDKIT');
const environment: Record<string, string> = {
  ...(Object.fromEntries(passedOn) as Record<string, string>),
  COMPOSE_PROJECT_NAME: project,
};
const urlOf = (variable: (typeof portVariables)[number]) => `http://127.0.0.1:${environment[variable]}`;

function docker(...args: string[]): string {
  const env = { ...process.env, ...environment };
  return execFileSync('docker', args, { cwd: projectDirectory, encoding: 'utf8', env, stdio: 'pipe' }).trim();
}
const up = (...services: string[]) => docker('compose', 'up', '--build', '--wait', ...services);
const idOf = (service: string) => docker('compose', 'ps', '--all', '--quiet', service);
const lab = (args: readonly string[], env: Record<string, string> = {}) =>
  new LabCommand(['scenarios/main.ts', ...args, '--driver', 'compose'], { ...environment, ...env });
const refusedBy = async (args: readonly string[], env: Record<string, string> = {}) => {
  await using command = lab(args, env);
  const { status, stdout, stderr } = await command.ended;
  return { status, stdout, stderr };
};

/** What the stack's Prometheus is told of the lab: nothing while there is no run. */
const targets = () => readdirSync(join(projectDirectory, 'prometheus', 'lab')).filter((file) => file !== '.gitignore');

/** The stack as anybody sees it, the proxies with their toxics, and the lab as Prometheus's target. */
async function state(): Promise<string[]> {
  const services = docker('compose', 'ps', '--all', '--format', '{{.Service}} {{.ID}} {{.State}} {{.Health}}');
  const networks = docker('network', 'ls', '--format', '{{.Name}}');
  const containers = docker('ps', '--all', '--filter', `network=${project}_default`, '--format', '{{.Names}}');
  const proxies = await (await fetch(`${urlOf('TOXIPROXY_PORT')}/proxies`)).text();
  return [services, containers, networks.includes(project) ? 'its network' : 'no network', proxies, ...targets()];
}

async function mechanismOf(url: string): Promise<string | undefined> {
  const response = await fetch(`${url}/readyz`).catch(() => undefined);
  return ((await response?.json()) as { mechanism?: string } | undefined)?.mechanism;
}

describe.runIf(hasDocker)('the override file of service/README.md', () => {
  it('changes the limits and the Redis of both limiters, and nothing else of them', () => {
    const page = readFileSync(join(projectDirectory, 'service', 'README.md'), 'utf8');
    const [, override = ''] = /```yaml\n(# docker-compose.override.yml\n.*?)```/s.exec(page) ?? [];
    const settings = (files: readonly string[], input = '') => {
      const args = ['compose', ...files.flatMap((file) => ['--file', file]), 'config', '--format', 'json'];
      const merged = JSON.parse(execFileSync('docker', args, { cwd: projectDirectory, encoding: 'utf8', input })) as {
        services: Record<string, { environment: Record<string, string> }>;
      };
      return ['limiter-1', 'limiter-2'].map((name) => merged.services[name]?.environment);
    };
    const REDIS_URL = 'rediss://limiter:secret@redis.example.com:6380/0';
    const yours = { RATE_LIMIT: '100', RATE_LIMIT_WINDOW_SEC: '60', RATE_LIMIT_BURST: '50', REDIS_URL };
    expect(settings(['docker-compose.yml', '-'], override)).toEqual(
      settings(['docker-compose.yml']).map((environment) => ({ ...environment, ...yours })),
    );
  });
});

describe.runIf(hasDocker)('the Compose stack', () => {
  beforeAll(async () => {
    for (const variable of portVariables) environment[variable] = String(await freePort());
    docker('compose', 'build', '--quiet', 'limiter-1');
  }, 5 * minuteMs);

  afterAll(() => {
    docker('compose', '--profile', '*', 'down', '--volumes', '--timeout', '2');
  }, minuteMs);

  it(
    'is healthy within a minute, and its limiters decide by Redis and share a bucket',
    async () => {
      const startMs = performance.now();
      up(...stack);
      expect(performance.now() - startMs).toBeLessThan(minuteMs);
      const ask = async (variable: 'LIMITER_1_PORT' | 'LIMITER_2_PORT', key: string) => {
        const { headers } = await fetch(urlOf(variable), { headers: { 'x-key': key } });
        return [headers.get('x-ratelimit-mechanism'), headers.get('x-ratelimit-remaining')];
      };
      // A call of one may come too late on a busy machine, and its fallback has a bucket of its own: then with another key.
      let key = 0;
      const both = await until('Redis to decide for both', async () => {
        key++;
        const told = [await ask('LIMITER_1_PORT', `shared ${key}`), await ask('LIMITER_2_PORT', `shared ${key}`)];
        return told.every(([mechanism]) => mechanism === 'redis') && told.map(([, remaining]) => remaining);
      });
      expect(both).toEqual(['9', '8']);
    },
    3 * minuteMs,
  );

  it('is refused with the settings that differ from those of the scenario, and the command that sets them', async () => {
    expect(await refusedBy(['partition'], { RATE_LIMIT: '20' })).toEqual({
      status: 255,
      stdout: '',
      stderr: expect.stringMatching(
        /^limiter-[12] is not set as this experiment wants it: RATE_LIMIT is 10, not 20. Type: RATE_LIMIT=20 docker compose up --build --wait, or give its settings to npm run scenario$/m,
      ),
    });
  });

  it(
    'has the lab in its Prometheus while a run lasts, with data for every query of the dashboard Chaos run, and is then as it was',
    async () => {
      using out = temporaryDirectory();
      const before = await state();
      const targetsIn = new Map<string, number>();
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
      const timing = { warmupMs: 1000, durationMs: 11_000 };
      const once = { use: { kind: 'partition' }, atMs: 4000, forMs: 4000 };
      const { history } = await runOf({ ...partition, timing, faults: [once] }, out.path, {
        driver: compose,
        rate: 200,
        onProgress: ({ phase }) => targetsIn.set(phase, targets().length),
      }).finally(() => vi.unstubAllEnvs());
      const fromS = Date.parse(history.run.startedAt) / 1000;
      const ask = (expr: string) =>
        queryRange(urlOf('PROMETHEUS_PORT'), substituted(expr, limiterJob), fromS, Date.now() / 1000 + 1, 1);

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
  ])(
    'is as it was, healthy and without a toxic, when %s is interrupted in mid-fault',
    async (scenario, places) => {
      using out = temporaryDirectory();
      const before = await state();
      await using runner = lab([scenario, '--rate', '200', '--out', out.path]);
      await runner.says(new RegExp(`^${scenario}: fault `, 'm'), minuteMs);
      expect(await state()).not.toEqual(before);
      const shaded = `chaos_fault_active{job="lab", scenario="${scenario}"} == 1`;
      await until('the fault in Prometheus', async () => {
        const series = await queryAt(urlOf('PROMETHEUS_PORT'), shaded, Date.now() / 1000);
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
      expect(before[0]?.match(/ running healthy$/gm)).toHaveLength(stack.length);
    },
    2 * minuteMs,
  );

  it(
    'ends the run when a part of it exits, with one line that says which; what the lab put there is gone, the rest untouched',
    async () => {
      using out = temporaryDirectory();
      await using runner = lab(['partition', '--rate', '200', '--out', out.path]);
      await runner.says(/^partition: fault /m, minuteMs);
      docker('kill', idOf('limiter-2'));
      const { status, stdout, stderr } = await runner.ended;
      const line = /^limiter-2 exited with status 137 in mid-run: .*$/m;
      expect({ status, stdout, stderr }).toEqual({ status: 255, stdout: '', stderr: expect.stringMatching(line) });
      expect({ undo: runner.undoFiles, targets: targets() }).toEqual({ undo: [], targets: [] });
      const [services, , , proxies = ''] = await state();
      expect(services?.match(/ running healthy$/gm)).toHaveLength(stack.length - 1);
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

  it('is refused while it is half up, with what is missing and the command that helps', async () => {
    expect(await refusedBy(['partition'])).toEqual({
      status: 255,
      stdout: '',
      stderr:
        'The compose driver cannot work: the Compose stack is not healthy: limiter-2 is exited. Type: docker compose up --build --wait\n',
    });
  });

  it(
    'comes up again with the same command, which names a port that is taken',
    async () => {
      const other = { COMPOSE_PROJECT_NAME: `${project}-2` };
      const taken = spawnSync('docker', ['compose', 'up', '--wait', 'toxiproxy'], {
        cwd: projectDirectory,
        encoding: 'utf8',
        env: { ...process.env, ...environment, ...other },
      });
      spawnSync('docker', ['compose', 'down'], {
        cwd: projectDirectory,
        env: { ...process.env, ...environment, ...other },
      });
      expect({ status: taken.status, stderr: taken.stderr }).toEqual({
        status: 1,
        stderr: expect.stringContaining(`127.0.0.1:${environment.TOXIPROXY_PORT}`),
      });
      up(...stack);
      await until('Redis to decide', async () => (await mechanismOf(urlOf('LIMITER_2_PORT'))) === 'redis');
    },
    2 * minuteMs,
  );

  it.each([
    ['cluster', 'LIMITER_CLUSTER_PORT', 'cluster-1'],
    ['sentinel', 'LIMITER_SENTINEL_PORT', 'redis-primary'],
  ] as const)(
    'with the profile %s decides by Redis, and again after its first master is killed',
    async (profile, port, master) => {
      up(`limiter-${profile}`);
      const url = urlOf(port);
      await until('Redis to decide', async () => (await mechanismOf(url)) === 'redis');
      docker('kill', idOf(master));
      const keys = Array.from({ length: 32 }, (_, i) => `key-${i}`); // so that every shard has some
      const ask = async () => {
        const answers = await Promise.all(keys.map((key) => fetch(url, { headers: { 'x-key': key } })));
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => expect.toBeOneOf([200, 429])));
        return new Set(answers.map(({ headers }) => headers.get('x-ratelimit-mechanism')));
      };
      await until('the fallback for the keys of the dead master', async () => (await ask()).has('fallback'));
      await until('Redis for all keys', async () => {
        await sleep(200);
        return !(await ask()).has('fallback');
      });
    },
    3 * minuteMs,
  );
});
