// Scenarios of several Redis on the native driver. The scenarios themselves, as they pass, are run by the suite; here are
// limiters that must not pass.

import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../../chaos/checks/check.ts';
import type { RunOptions } from '../../../chaos/run/runner.ts';
import type { Scenario } from '../../../chaos/scenario.ts';
import { clusterMasterKill } from '../../../scenarios/cluster-master-kill.ts';
import { sentinelFailover } from '../../../scenarios/sentinel-failover.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf, unlessUnknown } from '../../support/scenario-runs.ts';

const minuteMs = 60_000;
const out = temporaryDirectory();
afterAll(() => out[Symbol.dispose]());

const timing = { warmupMs: 2000, durationMs: 14_000 };
const faults = [{ use: { kind: 'master-kill' }, atMs: 4000, forMs: 6000 }];

/** A shorter one by the runner itself. */
async function judged(scenario: Scenario, changes: Partial<RunOptions>) {
  const result = await runOf({ ...scenario, timing, faults }, out.path, changes);
  const of = (name: string, phase?: string) =>
    result.checks.find((check) => check.name === name && (phase === undefined || check.phase === phase));
  return { ...result, of };
}

type Judged = Awaited<ReturnType<typeof judged>>;
/** Again, as long as noise keeps from its verdict the check that is to expose the limiter: others may fail beside it. */
const known = (
  scenario: Scenario,
  changes: Partial<RunOptions>,
  exposing: (result: Judged) => (CheckResult | undefined)[],
) =>
  unlessUnknown(
    (seed) => judged(scenario, { ...changes, seed }),
    (result) => exposing(result).filter((check) => check !== undefined),
  );
const tooNoisy = 'the machine is too noisy for a verdict';

describe('the loss of a master of a cluster', () => {
  it(
    'fails by its isolation a limiter that then asks the other masters nothing either',
    async ({ skip }) => {
      const limiterMain = join(import.meta.dirname, '..', '..', 'support', 'limiter-one-breaker.ts');
      const exposing = ({ of }: Judged) => [of('isolation', 'onset'), of('fault-bit')];
      const result = await known(clusterMasterKill, { limiterMain }, exposing);
      const { verdict, of, history } = result;
      skip(
        exposing(result).some((check) => check?.verdict === 'unknown'),
        tooNoisy,
      );
      expect(verdict).toBe('fail');
      expect(of('fault-bit')).toMatchObject({ verdict: 'pass' });
      expect(of('isolation', 'onset')).toMatchObject({ verdict: 'fail' });
      const { placement, failover } = history;
      expect(Object.keys(placement?.keys ?? {})).toHaveLength(3);
      expect(failover).toMatchObject({ from: placement?.victim });
    },
    3 * minuteMs,
  );
});

describe('the loss of the master under Sentinel', () => {
  it(
    'fails a limiter that knows the first master only, and stays with the fallback until that is started again',
    async ({ skip }) => {
      const limiterMain = join(import.meta.dirname, '..', '..', 'support', 'limiter-first-master.ts');
      const exposing = ({ of }: Judged) => [of('recovery'), of('fault-bit')];
      const result = await known(sentinelFailover, { limiterMain }, exposing);
      const { verdict, of } = result;
      skip(
        exposing(result).some((check) => check?.verdict === 'unknown'),
        tooNoisy,
      );
      expect(verdict).toBe('fail');
      expect(of('fault-bit')).toMatchObject({ verdict: 'pass' });
      expect(of('recovery')).toMatchObject({ verdict: 'fail' });
    },
    3 * minuteMs,
  );
});
