// The judge judged: each bad limiter under the scenario that should expose it must fail by the check that should see it, and
// by no other; a sound one must not fail at all.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { leversOf } from '../../../chaos/drivers/choose.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { limiterNames, type Scenario } from '../../../chaos/scenario.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';
import type { Target } from '../../../chaos/targets/target.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { badLimiters, bounds, defectOf, exposing, limiterAs } from '../../support/limiters/index.ts';
import { marker } from '../../support/limiters/marker.ts';
import { runOf, unlessUnknown } from '../../support/scenario-runs.ts';

const minuteMs = 60_000;
const rate = 600;
const out = temporaryDirectory();
afterAll(() => out[Symbol.dispose]());

async function judged(scenario: Scenario, target: Target, seed = 1) {
  const result = await runOf(scenario, out.path, { target, rate, seed });
  const logs = limiterNames.map((name) => readFileSync(join(result.directory, 'logs', `${name}.log`), 'utf8'));
  const failed = result.checks.filter(({ verdict }) => verdict === 'fail');
  return { ...result, failed, showed: logs.some((log) => log.includes(marker)) };
}

const tooNoisy = ({ checks }: Pick<Awaited<ReturnType<typeof judged>>, 'checks'>) => {
  const unknown = checks.filter(({ verdict }) => verdict === 'unknown');
  return `the machine is too noisy for a verdict: ${unknown.map(({ name, phase }) => `${name} (${phase})`).join(', ')}`;
};

/** Whether this machine has what its faults take. */
const isPossible = ({ faults = [] }: Scenario) =>
  faults.every(({ use }) => faultOf(use).needs.every((need) => leversOf('native').has(need)));

describe('a bad limiter', () => {
  it.for(
    badLimiters
      .filter(({ scenario }) => isPossible(exposing[scenario]))
      .map((bad) => ({ ...bad, defect: defectOf(bad) })),
  )(
    '$name fails $scenario by its $check: $defect',
    { timeout: 3 * minuteMs },
    async ({ name, scenario, tells, check, also = [] }, { skip }) => {
      const its = (result: Awaited<ReturnType<typeof judged>>) => {
        const verdicts = result.checks.filter((it) => it.name === check);
        return verdicts.some(({ verdict }) => verdict === 'fail') ? [] : verdicts;
      };
      const result = await unlessUnknown(async (seed) => {
        const attempt = await judged(exposing[scenario], limiterAs(name, tells), seed);
        expect(attempt.failed.filter((it) => it.name !== check && !also.includes(it.name))).toEqual([]);
        return attempt;
      }, its);
      skip(
        its(result).some(({ verdict }) => verdict === 'unknown'),
        tooNoisy(result),
      );
      expect({ showed: result.showed, failed: result.failed.map((it) => it.name) }).toEqual({
        showed: true,
        failed: expect.arrayContaining([check]),
      });
    },
  );
});

const sound = [
  ...Object.values(exposing)
    .filter(isPossible)
    .map((scenario) => ({
      who: 'one that tells',
      scenario,
      target: limiterAs('sound', true),
    })),
  { who: 'one that tells nothing', scenario: exposing.partition, target: limiterAs('sound') },
  ...[exposing['latency-1'], exposing.flapping, exposing['clock-fast']].filter(isPossible).map((scenario) => ({
    who: 'this project’s',
    scenario,
    target: { ...failopen, bounds },
  })),
];

describe('a sound limiter', () => {
  it.for(sound)('$who does not fail $scenario.name', { timeout: minuteMs }, async ({ scenario, target }, { skip }) => {
    const result = await judged(scenario, target);
    const { failed, showed, verdict } = result;
    expect({ failed, showed }).toEqual({ failed: [], showed: false });
    skip(verdict === 'unknown', tooNoisy(result));
    expect(verdict).toBe('pass');
  });
});
