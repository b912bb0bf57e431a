// The profiles of the Compose file, both up at once. On a machine without Docker each test is left out, by name.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeStack, quickHealth } from '../support/compose-stack.ts';
import { hasDocker } from '../support/docker.ts';
import { until } from '../support/until.ts';

const minuteMs = 60_000;
let stack: ComposeStack;
beforeAll(async () => {
  if (!hasDocker) return;
  stack = await ComposeStack.prepared('failopen-test-profiles', quickHealth);
  stack.up('limiter-cluster', 'limiter-sentinel');
}, 5 * minuteMs);
afterAll(() => stack?.down(), minuteMs);

describe.runIf(hasDocker).concurrent('the Compose stack', () => {
  it.each([
    ['cluster', 'LIMITER_CLUSTER_PORT', 'cluster-1'],
    ['sentinel', 'LIMITER_SENTINEL_PORT', 'redis-primary'],
  ] as const)(
    'with the profile %s decides by Redis, and again after its first master is killed',
    async (_profile, port, master) => {
      const url = stack.urlOf(port);
      await until('Redis to decide', async () => (await stack.mechanismOf(port)) === 'redis');
      stack.kill(master);
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
