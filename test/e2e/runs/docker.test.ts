// The image, the stack and the drivers that need Docker. On a machine without it each test is left out, by name.

import { describe, expect, it } from 'vitest';
import { imageOf } from '../../../chaos/drivers/images.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { queryAt } from '../../../prometheus/query.ts';
import { asBefore, docker, hasDocker, inventory } from '../../support/docker.ts';
import { keepAliveLoad } from '../../support/keep-alive-load.ts';
import { LabCommand, run, temporaryDirectory } from '../../support/lab-processes.ts';
import { scenarioCommand } from '../../support/scenario-runs.ts';
import { until } from '../../support/until.ts';

const minuteMs = 60_000;
const image = 'failopen-limiter:lab';
const images = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.endsWith('_IMAGE'))) as Record<
  string,
  string
>;
const lab = (args: readonly string[], env: Record<string, string> = {}) =>
  run(['scenarios/main.ts', ...args], { ...images, ...env });

/** For `docker ps`: the containers of a run, and of these by one filter more. */
function ofRun(runner: LabCommand): string[] {
  const label = runner.noted.flatMap((entry) => (entry.kind === 'labelled' ? [entry.label] : []))[0];
  return ['--filter', `label=${label?.name}=${label?.value}`, '--filter'];
}

describe.runIf(hasDocker)("the service's image", () => {
  it(
    'runs as nobody on a read-only file system without capabilities, and answers every request when it is stopped under load, before it is ended by force',
    async () => {
      const build = ['build', '--quiet', '--file', 'service/Dockerfile', '--tag', image];
      docker(...build, '--build-arg', `NODE_IMAGE=${imageOf('NODE_IMAGE')}`, '.');
      const size = (name: string) => Number(docker('image', 'inspect', '--format', '{{.Size}}', name));
      expect(size(image) - size(imageOf('NODE_IMAGE'))).toBeLessThan(250e6);

      const port = await freePort();
      const confined = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--init'];
      const id = docker('run', '--detach', ...confined, '--publish', `127.0.0.1:${port}:8080`, image);
      try {
        const url = `http://127.0.0.1:${port}`;
        await until('the service', async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok);
        expect(docker('exec', id, 'id', '-u')).toBe('1000');
        const load = keepAliveLoad(url, 20);
        await until('load', () => load.statuses.length > 500);
        const stopped = new LabCommand(['stop', '--time', '10', id], {}, 'docker');
        await load.over;
        await stopped.ended;
        expect({
          lost: load.lost,
          closed: load.closed(),
          failed: load.statuses.filter((status) => status >= 500),
        }).toEqual({
          lost: [],
          closed: 20,
          failed: [],
        });
        expect(docker('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0');
      } finally {
        docker('rm', '--force', '--volumes', id);
      }
    },
    3 * minuteMs,
  );
});

describe.runIf(hasDocker)('the containers driver', () => {
  it(
    'has the fault in its Prometheus, with the rules of the lab, and removes all that it made when it is interrupted then',
    async () => {
      using out = temporaryDirectory();
      const before = inventory();
      await using runner = scenarioCommand('partition', { driver: 'containers', rate: 200, out: out.path }, images);
      await runner.says(/^partition: fault /m, 2 * minuteMs);
      expect(inventory()).not.toEqual(before);
      const prometheus = docker('ps', '--quiet', ...ofRun(runner), `ancestor=${imageOf('PROMETHEUS_IMAGE')}`);
      const ask = (expr: string) =>
        queryAt(`http://${docker('port', prometheus, '9090')}`, expr, Date.now() / 1000).then(
          (series) => series.length,
        );
      await until('the fault', async () => (await ask('chaos_fault_active{job="lab"} == 1')) === 2);
      expect(await ask('instance:rate_limit_breaker_closed:ratio{job="limiter"}')).toBe(2);
      runner.kill('SIGINT');
      const { status, stderr } = await runner.ended;
      expect({ status, undo: runner.undoFiles }, stderr).toEqual({ status: 130, undo: [] });
      await asBefore(before);
    },
    4 * minuteMs,
  );

  it(
    'ends the run when a container of it exits, with one line that says which, and leaves nothing',
    async () => {
      using out = temporaryDirectory();
      const before = inventory();
      await using runner = scenarioCommand('baseline', { driver: 'containers', rate: 200, out: out.path }, images);
      await runner.says(/^baseline: baseline /m, 2 * minuteMs);
      docker('kill', docker('ps', '--quiet', ...ofRun(runner), `ancestor=${image}`).split('\n')[0] ?? '');
      const { status, stdout, stderr } = await runner.ended;
      const line = /^limiter-(1|2|control) exited with status 137 in mid-run: .*$/m;
      expect({ status, stdout, stderr }).toEqual({ status: 255, stdout: '', stderr: expect.stringMatching(line) });
      expect(runner.undoFiles).toEqual([]);
      await asBefore(before);
    },
    4 * minuteMs,
  );

  it(
    'says which image is missing and what to type, and leaves nothing',
    async () => {
      using out = temporaryDirectory();
      const before = inventory();
      const REDIS_IMAGE = 'localhost:1/not-there:1';
      const { status, stderr } = await lab(['partition', '--driver', 'containers', '--out', out.path], { REDIS_IMAGE });
      expect({ status, stderr }).toEqual({
        status: 255,
        stderr: expect.stringMatching(
          /^The image localhost:1\/not-there:1 is not on this machine and cannot be pulled.*Type: docker pull localhost:1\/not-there:1, or name another with REDIS_IMAGE$/m,
        ),
      });
      await asBefore(before);
    },
    2 * minuteMs,
  );
});

describe('without Docker', () => {
  const socket = 'unix:///nowhere/docker.sock';

  it.each([
    ['compose', 'docker compose says "[^\n]*nowhere[^\n]*|Docker is not installed'],
    ['containers', 'Docker does not answer at unix:///nowhere/docker.sock, which DOCKER_HOST names. Type: docker info'],
  ])('of which the engine is stopped, the %s driver refuses with one line that says why', async (driver, why) => {
    const { status, stdout, stderr } = await lab(['partition', '--driver', driver], { DOCKER_HOST: socket });
    const line = new RegExp(`^The ${driver} driver cannot work: (${why})[^\n]*\n$`);
    expect({ status, stdout, stderr }).toEqual({ status: 255, stdout: '', stderr: expect.stringMatching(line) });
  });

  it('that is not installed, the compose driver says so', async () => {
    const { status, stderr } = await lab(['partition', '--driver', 'compose'], { PATH: '/nowhere' });
    expect({ status, stderr }).toEqual({
      status: 255,
      stderr:
        'The compose driver cannot work: Docker is not installed; the native driver needs none. Type: npm run setup\n',
    });
  });
});
