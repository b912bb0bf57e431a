// Scenarios of several Redis on the native driver, and what is left of them. The scenarios themselves, as they pass, are
// run by the suite; here are limiters that must not pass, and runs that are cut off.

import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../chaos/checks/check.ts';
import type { Fault } from '../../chaos/faults/fault.ts';
import { faultOf } from '../../chaos/faults/index.ts';
import { startOf } from '../../chaos/host/process-identity.ts';
import type { RunOptions } from '../../chaos/run/runner.ts';
import type { FaultSpec, Scenario } from '../../chaos/scenario.ts';
import { clusterMasterKill } from '../../scenarios/cluster-master-kill.ts';
import { sentinelFailover } from '../../scenarios/sentinel-failover.ts';
import { run, temporaryDirectory } from '../support/lab-processes.ts';
import { processesOf, runOf, scenarioCommand, unlessUnknown } from '../support/scenario-runs.ts';

const minuteMs = 60_000;
/** After so long the lab ends by force what does not end. */
const forceMs = 11_000;
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
      const limiterMain = join(import.meta.dirname, '..', 'support', 'limiter-one-breaker.ts');
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

  it(
    'is unknown, neither pass nor fail, when the master lives on',
    async () => {
      const idle = (spec: FaultSpec): Fault => ({ ...faultOf(spec), inject: async () => {}, heal: async () => {} });
      const { verdict, checks, of, history } = await judged(clusterMasterKill, { faultOf: idle });
      expect(of('fault-bit')).toMatchObject({ verdict: 'unknown' });
      expect(of('recovery')).toMatchObject({ detail: 'no other master took the place of the killed one' });
      expect(checks.filter((check) => check.verdict === 'fail')).toEqual([]);
      expect([verdict, history.failover]).toEqual(['unknown', undefined]);
    },
    2 * minuteMs,
  );
});

describe('the loss of the master under Sentinel', () => {
  it(
    'fails a limiter that knows the first master only, and stays with the fallback until that is started again',
    async ({ skip }) => {
      const limiterMain = join(import.meta.dirname, '..', 'support', 'limiter-first-master.ts');
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

const nodes = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

describe('a run of several Redis that is ended in mid-fault', () => {
  const started = (scenario: string) => scenarioCommand(scenario, { driver: 'native', seed: 1, out: out.path });

  it(
    'by kill -9 is put right by heal',
    async () => {
      await using runner = started('cluster-master-kill');
      await runner.says(/^cluster-master-kill: fault /m, minuteMs);
      const all = processesOf(runner.noted).map(({ name }) => name);
      expect(all).toEqual(expect.arrayContaining([...nodes('redis', 6), ...nodes('redis-control', 3)]));
      runner.kill('SIGKILL');
      await runner.ended;
      const healed = await run(['run', '--silent', 'heal'], {}, 'npm');
      expect({ status: healed.status, left: runner.left, undo: runner.undoFiles }).toEqual({
        status: 0,
        left: [],
        undo: [],
      });
      expect(healed.stdout).toMatch(/^Removed the directory .*failopen-/m);
    },
    2 * minuteMs,
  );

  it(
    'by SIGINT ends all that it started, soon',
    async () => {
      await using runner = started('sentinel-failover');
      await runner.says(/^sentinel-failover: (onset|fault) /m, minuteMs);
      const all = processesOf(runner.noted);
      const named = ['redis', 'redis-replica', ...nodes('sentinel', 3), 'redis-control', 'sentinel-control-1'];
      expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
      const startMs = performance.now();
      runner.kill('SIGINT');
      const { status, stderr } = await runner.ended;
      const tookMs = performance.now() - startMs;
      expect({ status, left: runner.left, undo: runner.undoFiles }).toEqual({ status: 130, left: [], undo: [] });
      expect(all.filter(({ pid, startedAt }) => startOf(pid) === startedAt)).toEqual([]);
      expect(stderr).not.toMatch(/^sentinel-failover: (heal|recovered) /m); // nobody waited for the rest
      expect(tookMs).toBeLessThan(forceMs);
    },
    2 * minuteMs,
  );
});
