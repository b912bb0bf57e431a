// Limiters that outlive a run, as in a stack that stays up: what one run left in their buckets is nothing to the next.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { native } from '../../../chaos/drivers/native.ts';
import type { Driver, Environment } from '../../../chaos/environment.ts';
import type { Scenario } from '../../../chaos/scenario.ts';
import { baseline } from '../../../scenarios/baseline.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf } from '../../support/scenario-runs.ts';

/** A bucket that is empty stays so for a minute: longer than both runs take. */
const slow: Scenario = {
  ...baseline,
  timing: { warmupMs: 500, durationMs: 2500 },
  service: { ...baseline.service, RATE_LIMIT_WINDOW_SEC: '60' },
};

let temporary: ReturnType<typeof temporaryDirectory>;
let standing: Environment | undefined;

beforeAll(() => {
  temporary = temporaryDirectory();
});
afterAll(async () => {
  await standing?.[Symbol.asyncDispose]();
  temporary[Symbol.dispose]();
});

/** The first run starts it, and the later ones find it as the last one left it. */
const stack: Driver = async (options) => {
  standing ??= await native(options);
  return { ...standing, [Symbol.asyncDispose]: async () => {} };
};

describe('a run on limiters that an earlier run has used', () => {
  it('asks for keys of its own by the same schedule, and no refusal by an old bucket is held against the limiter', async () => {
    const runs = [];
    for (let i = 0; i < 2; i++) runs.push(await runOf(slow, temporary.path, { driver: stack }));
    const [first, second] = runs.map(({ history, checks }) => {
      const suffix = history.run.keySuffix ?? '';
      const judged = checks.find(({ name }) => name === 'needless-refusal');
      const asked = history.answers
        .map(({ scheduledMs, instance, key }) => `${scheduledMs} ${instance} ${key.replace(suffix, '')}`)
        .sort();
      return { suffix, keys: new Set(history.answers.map(({ key }) => key)), judged, asked };
    });
    expect([first?.judged, second?.judged]).toMatchObject([
      { verdict: 'pass', measured: 0 },
      { verdict: 'pass', measured: 0 },
    ]);
    expect(second?.asked).toEqual(first?.asked);
    expect([...(second?.keys ?? [])].filter((key) => first?.keys.has(key))).toEqual([]);
    expect(first?.suffix).not.toBe(second?.suffix);
  }, 120_000);
});
