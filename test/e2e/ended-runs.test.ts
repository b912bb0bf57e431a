// Runs that end early or prove nothing, on the native driver. They measure no time, so others may run beside them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../chaos/faults/fault.ts';
import { faultOf } from '../../chaos/faults/index.ts';
import { startOf } from '../../chaos/host/process-identity.ts';
import type { RunOptions } from '../../chaos/run/runner.ts';
import type { FaultSpec } from '../../chaos/scenario.ts';
import { partition } from '../../scenarios/partition.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';
import { processesOf, runOf, scenarioCommand } from '../support/scenario-runs.ts';

const minuteMs = 60_000;
/** After so long the lab ends by force what does not end. */
const forceMs = 11_000;
const out = temporaryDirectory();
afterAll(() => out[Symbol.dispose]());

/** A shorter one by the runner itself. */
const timing = { warmupMs: 2000, durationMs: 12_000 };
const faults = [{ use: { kind: 'partition' }, atMs: 4000, forMs: 3000 }];
const judged = (changes: Partial<RunOptions>) => runOf({ ...partition, timing, faults }, out.path, changes);

const parts = ['redis', 'redis-control', 'toxiproxy', 'limiter-1', 'limiter-2', 'limiter-control', 'prometheus'];

describe('a partition', () => {
  it(
    'is unknown, neither pass nor fail, when its fault does nothing',
    async () => {
      const idle = (spec: FaultSpec): Fault => ({ ...faultOf(spec), inject: async () => {}, heal: async () => {} });
      const { verdict, checks } = await judged({ faultOf: idle });
      expect(checks.find(({ name }) => name === 'fault-bit')).toMatchObject({
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
      const limiterMain = join(import.meta.dirname, '..', 'support', 'limiter-503.ts');
      const { verdict, checks } = await judged({ limiterMain });
      expect(verdict).toBe('fail');
      expect(checks.find(({ name }) => name === 'fault-bit')).toMatchObject({ verdict: 'pass' });
      expect(checks.find(({ name }) => name === 'availability')).toMatchObject({
        verdict: 'fail',
        detail: expect.stringMatching(/^first: status 503 from limiter-[12] at /),
      });
    },
    2 * minuteMs,
  );
});

describe('a run that is ended in mid-fault', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'by %s ends all that it started, soon, and exits with %i',
    async (signal, status) => {
      await using runner = scenarioCommand('partition', { driver: 'native', seed: 1, out: out.path });
      await runner.says(/^partition: (onset|fault) /m, minuteMs);
      const noted = processesOf(runner.noted);
      expect(noted.map(({ name }) => name)).toEqual(expect.arrayContaining([...parts, 'load generator']));
      const startMs = performance.now();
      runner.kill(signal);
      const ended = await runner.ended;
      const tookMs = performance.now() - startMs;
      expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status, stdout: '' });
      expect(ended.stderr).toContain(`${signal}: everything that was started has been ended, and the fault healed\n`);
      expect({ left: runner.left, undo: runner.undoFiles }).toEqual({ left: [], undo: [] });
      expect(noted.filter(({ pid, startedAt }) => startOf(pid) === startedAt)).toEqual([]);
      expect(ended.stderr).not.toMatch(/^partition: (heal|recovered) /m); // nobody waited for the rest
      expect(tookMs).toBeLessThan(forceMs);
      // What was recorded until then is there.
      const [directory] = readdirSync(out.path)
        .filter((name) => name !== 'latest')
        .slice(-1);
      expect(readFileSync(join(out.path, directory ?? '', 'events.ndjson'), 'utf8')).toContain('"phase":"onset"');
    },
    2 * minuteMs,
  );
});
