// The reference deployment as it stands. On a machine without Docker each test is left out, by name.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeStack, stackServices } from '../support/compose-stack.ts';
import { hasDocker } from '../support/docker.ts';
import { projectDirectory } from '../support/lab-processes.ts';
import { until } from '../support/until.ts';

const minuteMs = 60_000;
let stack: ComposeStack;
beforeAll(async () => {
  if (!hasDocker) return;
  stack = await ComposeStack.prepared('failopen-test');
}, 5 * minuteMs);
afterAll(() => stack?.down(), minuteMs);

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
  it(
    'is healthy within a minute, and its limiters decide by Redis and share a bucket',
    async () => {
      const startMs = performance.now();
      stack.up(...stackServices);
      expect(performance.now() - startMs).toBeLessThan(minuteMs);
      const ask = async (variable: 'LIMITER_1_PORT' | 'LIMITER_2_PORT', key: string) => {
        const { headers } = await fetch(stack.urlOf(variable), { headers: { 'x-key': key } });
        return [headers.get('x-ratelimit-mechanism'), headers.get('x-ratelimit-remaining')];
      };
      // Then with another key: on a busy machine a call of one may come too late, whose fallback has a bucket of its own, or
      // the second so late that a token has come back, half a second later.
      let key = 0;
      const both = await until('Redis to decide for both', async () => {
        key++;
        const askedMs = performance.now();
        const answers = [await ask('LIMITER_1_PORT', `shared ${key}`), await ask('LIMITER_2_PORT', `shared ${key}`)];
        if (performance.now() - askedMs > 400) return undefined;
        return answers.every(([mechanism]) => mechanism === 'redis') && answers.map(([, remaining]) => remaining);
      });
      expect(both).toEqual(['9', '8']);
    },
    3 * minuteMs,
  );

  it('is refused with the settings that differ from those of the scenario, and the command that sets them', async () => {
    expect(await stack.refusalOf(['partition'], { RATE_LIMIT: '20' })).toEqual({
      status: 255,
      stdout: '',
      stderr: expect.stringMatching(
        /^limiter-[12] is not set as this experiment wants it: RATE_LIMIT is 10, not 20. Type: RATE_LIMIT=20 docker compose up --build --wait, or give its settings to npm run scenario$/m,
      ),
    });
  });

  it('is refused while it is half up, with what is missing and the command that helps', async () => {
    stack.kill('limiter-2');
    expect(await stack.refusalOf(['partition'])).toEqual({
      status: 255,
      stdout: '',
      stderr:
        'The compose driver cannot work: the Compose stack is not healthy: limiter-2 is exited. Type: docker compose up --build --wait\n',
    });
  });

  it(
    'comes up again with the same command, which names a port that is taken',
    async () => {
      expect(stack.upBeside('toxiproxy')).toEqual({
        status: 1,
        stderr: expect.stringContaining(`127.0.0.1:${stack.environment.TOXIPROXY_PORT}`),
      });
      stack.up(...stackServices);
      await until('Redis to decide', async () => (await stack.mechanismOf('LIMITER_2_PORT')) === 'redis');
    },
    2 * minuteMs,
  );
});
