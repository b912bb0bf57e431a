// Runs on the native driver that prove nothing, or prove one thing by one answer. They measure no time, so others may run
// beside them, and they send few requests.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../chaos/faults/fault.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import type { RunOptions } from '../../../chaos/run/runner.ts';
import type { FaultSpec, Scenario } from '../../../chaos/scenario.ts';
import { clusterMasterKill } from '../../../scenarios/cluster-master-kill.ts';
import { partition } from '../../../scenarios/partition.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf } from '../../support/scenario-runs.ts';

const minuteMs = 60_000;
const rate = 200;

/** By the runner itself, shorter than they are. */
const short: Scenario = {
  ...partition,
  timing: { warmupMs: 2000, durationMs: 12_000 },
  faults: [{ use: { kind: 'partition' }, atMs: 4000, forMs: 3000 }],
};
const shortFailover: Scenario = {
  ...clusterMasterKill,
  timing: { warmupMs: 2000, durationMs: 14_000 },
  faults: [{ use: { kind: 'master-kill' }, atMs: 4000, forMs: 6000 }],
};
async function judged(scenario: Scenario, changes: Partial<RunOptions>) {
  using out = temporaryDirectory();
  const result = await runOf(scenario, out.path, { rate, ...changes });
  return { ...result, of: (name: string) => result.checks.find((check) => check.name === name) };
}
/** What puts nothing on and takes nothing off. */
const idle = (spec: FaultSpec): Fault => ({ ...faultOf(spec), inject: async () => {}, heal: async () => {} });

describe('a partition', () => {
  it(
    'is unknown, neither pass nor fail, when its fault does nothing',
    async () => {
      const { verdict, checks, of } = await judged(short, { faultOf: idle });
      expect(of('fault-bit')).toMatchObject({
        verdict: 'unknown',
        measured: 0,
        detail: 'not seen on limiter-1, limiter-2',
      });
      expect(checks.filter((check) => check.verdict === 'fail')).toEqual([]);
      expect(verdict).toBe('unknown');
    },
    2 * minuteMs,
  );

  it(
    'fails by its availability a limiter that answers 503 without Redis',
    async () => {
      const limiterMain = join(import.meta.dirname, '..', '..', 'support', 'limiter-503.ts');
      const { verdict, of } = await judged(short, { limiterMain });
      expect(verdict).toBe('fail');
      expect(of('fault-bit')).toMatchObject({ verdict: 'pass' });
      expect(of('availability')).toMatchObject({
        verdict: 'fail',
        detail: expect.stringMatching(/^first: status 503 from limiter-[12] at /),
      });
    },
    2 * minuteMs,
  );
});

describe('the loss of a master of a cluster', () => {
  it(
    'is unknown, neither pass nor fail, when the master lives on',
    async () => {
      const { verdict, checks, of, history } = await judged(shortFailover, { faultOf: idle });
      expect(of('fault-bit')).toMatchObject({ verdict: 'unknown' });
      expect(of('recovery')).toMatchObject({ detail: 'no other master took the place of the killed one' });
      expect(checks.filter((check) => check.verdict === 'fail')).toEqual([]);
      expect([verdict, history.failover]).toEqual(['unknown', undefined]);
    },
    2 * minuteMs,
  );
});
