// Runs whose runner is killed, and what `npm run heal` makes of them. It looks at all that any run of this project left, so
// nothing else may be left or run meanwhile.

import { describe, expect, it } from 'vitest';
import { type LabCommand, run, temporaryDirectory } from '../support/lab-processes.ts';
import { clusterParts, parts, processesOf, scenarioCommand } from '../support/scenario-runs.ts';

const minuteMs = 60_000;
const heal = () => run(['run', '--silent', 'heal'], {}, 'npm');

describe('runs that are ended in mid-fault', () => {
  it(
    'by kill -9 are put right by heal, which says what it ended, and then that nothing is left',
    async () => {
      using out = temporaryDirectory();
      const started = (scenario: string) =>
        scenarioCommand(scenario, { driver: 'native', seed: 1, rate: 200, out: out.path });
      await using one = started('partition');
      await one.says(/^partition: warm-up /m, minuteMs); // and not both start at once
      await using several = started('cluster-master-kill');
      const killed = async (runner: LabCommand, scenario: string, named: readonly string[]) => {
        await runner.says(new RegExp(`^${scenario}: fault `, 'm'), minuteMs);
        const noted = processesOf(runner.noted);
        expect(noted.map(({ name }) => name)).toEqual(expect.arrayContaining([...named, 'load generator']));
        runner.kill('SIGKILL');
        expect(await runner.ended).toMatchObject({ signal: 'SIGKILL' });
        return processesOf(runner.left).filter(({ name }) => named.includes(name));
      };
      const running = await Promise.all([
        killed(one, 'partition', parts),
        killed(several, 'cluster-master-kill', clusterParts), // of which the fault has killed one
      ]);
      expect(running.map(({ length }) => length)).toEqual([parts.length, clusterParts.length - 1]);

      const first = await heal();
      for (const { name, pid } of running.flat()) expect(first.stdout).toContain(`Ended ${name} (process ${pid}).\n`);
      expect(first.stdout.match(/^Removed the directory .*failopen-/gm)?.length).toBeGreaterThanOrEqual(2);
      const left = [one, several].map((runner) => ({ left: runner.left, undo: runner.undoFiles }));
      expect({ status: first.status, left }).toEqual({ status: 0, left: Array(2).fill({ left: [], undo: [] }) });

      const second = await heal();
      expect({ status: second.status, stdout: second.stdout }).toEqual({
        status: 0,
        stdout: 'Nothing is left behind.\n',
      });
    },
    2 * minuteMs,
  );
});
