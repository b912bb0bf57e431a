// Runs that end early, on the native driver. They measure no time, so others may run beside them, and send few requests.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startOf } from '../../../chaos/host/process-identity.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { parts, processesOf, scenarioCommand, sentinelParts } from '../../support/scenario-runs.ts';

const minuteMs = 60_000;
/** After so long the lab ends by force what does not end. */
const forceMs = 11_000;
const rate = 200;

describe('a run that is ended in mid-fault', () => {
  it.each([
    ['partition', 'SIGINT', 130, parts],
    ['partition', 'SIGTERM', 143, parts],
    ['sentinel-failover', 'SIGINT', 130, sentinelParts],
  ] as const)(
    '%s by %s ends all that it started, soon, and exits with %i',
    async (scenario, signal, status, named) => {
      using out = temporaryDirectory();
      await using runner = scenarioCommand(scenario, { driver: 'native', seed: 1, rate, out: out.path });
      await runner.says(new RegExp(`^${scenario}: (onset|fault) `, 'm'), minuteMs);
      const noted = processesOf(runner.noted);
      expect(noted.map(({ name }) => name)).toEqual(expect.arrayContaining([...named, 'load generator']));
      const startMs = performance.now();
      runner.kill(signal);
      const ended = await runner.ended;
      const tookMs = performance.now() - startMs;
      expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status, stdout: '' });
      expect(ended.stderr).toContain(`${signal}: everything that was started has been ended, and the fault healed\n`);
      expect({ left: runner.left, undo: runner.undoFiles }).toEqual({ left: [], undo: [] });
      expect(noted.filter(({ pid, startedAt }) => startOf(pid) === startedAt)).toEqual([]);
      expect(ended.stderr).not.toMatch(new RegExp(`^${scenario}: (heal|recovered) `, 'm')); // nobody waited for the rest
      expect(tookMs).toBeLessThan(forceMs);
      // What was recorded until then is there.
      const [directory = ''] = readdirSync(out.path).filter((name) => name !== 'latest');
      expect(readFileSync(join(out.path, directory, 'events.ndjson'), 'utf8')).toContain('"phase":"onset"');
    },
    2 * minuteMs,
  );
});
