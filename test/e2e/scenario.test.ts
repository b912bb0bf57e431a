// Whole scenarios on the native driver, as a person runs them. Each takes about half a minute and measures time, so they
// stand in this one file, one after another, and nothing else should run beside them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Journal } from '../../chaos/report/journal.ts';
import { phaseNames } from '../../chaos/scenario.ts';
import type { Mechanism } from '../../chaos/targets/mechanisms.ts';
import { run, temporaryDirectory } from '../support/lab-processes.ts';
import { unlessUnknown } from '../support/scenario-runs.ts';

const minuteMs = 60_000;
const out = temporaryDirectory();
afterAll(() => out[Symbol.dispose]());

const latestJournal = (): Journal => JSON.parse(readFileSync(join(out.path, 'latest', 'journal.json'), 'utf8'));

/** By the command that a person types. */
const typed = (env: Record<string, string> = {}) =>
  unlessUnknown(
    (seed) =>
      run(
        ['run', 'scenario', 'partition', '--', '--driver', 'native', '--seed', String(seed), '--out', out.path],
        env,
        'npm',
      ),
    ({ status }) => (status === 2 ? latestJournal().checks : []),
  );

describe('the partition', () => {
  it(
    'passes: every request is decided in time, by the fallback during the fault and by Redis after it',
    async ({ skip }) => {
      const { status, stdout, stderr, left } = await typed();
      expect([0, 1, 2], `a verdict, and not: ${stderr}`).toContain(status);
      skip(status === 2, `the machine is too noisy for a verdict: ${stdout}`);
      const { verdict, checks, phases, breaker } = latestJournal();
      expect({ status, verdict, left }, stdout).toEqual({ status: 0, verdict: 'pass', left: [] });
      expect(stdout).toContain('PASS partition: every request answered');

      expect(Object.keys(phases)).toEqual(phaseNames);
      for (const phase of phaseNames) {
        expect(phases[phase]?.latencyMs.p99, `p99 in ${phase}`).toBeLessThan(9);
        expect(phases[phase]?.answered).toBe(phases[phase]?.requests);
      }
      const share = (phase: 'baseline' | 'fault' | 'recovered', mechanism: Mechanism) =>
        (phases[phase]?.mechanism[mechanism] ?? 0) / (phases[phase]?.requests ?? 0);
      expect(share('baseline', 'redis')).toBeGreaterThanOrEqual(0.99);
      expect(share('fault', 'fallback')).toBeGreaterThanOrEqual(0.99);
      expect(share('recovered', 'redis')).toBeGreaterThan(0.9); // a recovery may reach 0.2 s into its 7 s
      const { startMs: onsetMs, endMs: onsetEndMs } = phases.onset ?? { startMs: Number.NaN, endMs: Number.NaN };
      for (const instance of ['limiter-1', 'limiter-2']) {
        const opened = breaker.find((move) => move.instance === instance && move.to === 'open' && move.atMs >= onsetMs);
        expect(opened?.atMs).toBeLessThan(onsetEndMs); // how soon after the injection, the check of it tells
        expect(breaker.findLast((move) => move.instance === instance)?.to).toBe('closed');
      }
      expect(checks.find(({ name }) => name === 'trip')).toMatchObject({ verdict: 'pass', limit: 65 });
      const named = new Set(checks.map(({ name }) => name));
      const bounds = ['fault-bit', 'availability', 'latency', 'trip', 'fails-open', 'recovery'];
      expect([...named]).toEqual(expect.arrayContaining([...bounds, 'admission', 'fleet', 'needless-refusal']));
    },
    4 * minuteMs,
  );

  it(
    'fails by its latency when the limiter may wait 2 s for Redis',
    async ({ skip }) => {
      const { status, stdout } = await typed({ REDIS_TIMEOUT_MS: '2000' });
      skip(status === 2, `the machine is too noisy for a verdict: ${stdout}`);
      const { verdict, checks, deviated } = latestJournal();
      expect({ status, verdict, deviated }, stdout).toEqual({ status: 1, verdict: 'fail', deviated: true });
      const latency = checks.filter(
        ({ name, phase }) => name === 'latency' && (phase === 'onset' || phase === 'fault'),
      );
      const verdicts = latency.map(({ verdict }) => verdict); // noise may leave one of the two undecided
      expect(verdicts).toContain('fail');
      expect(verdicts).not.toContain('pass');
    },
    4 * minuteMs,
  );
});
