// Runs whose runner is killed with everything in its process group, at random moments, and who puts right what they leave.
// It looks at all that any run of this project left, so nothing else may be left or run meanwhile.

import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../../chaos/drivers/choose.ts';
import { undoDirectory } from '../../../chaos/host/undo-log.ts';
import { scenarios } from '../../../scenarios/index.ts';
import { run, temporaryDirectory } from '../../support/lab-processes.ts';
import { RunOutside } from '../../support/run-outside.ts';
import { processesOf, scenarioCommand } from '../../support/scenario-runs.ts';
import { deadRunner, writeRecord } from '../../support/undo-records.ts';

const minuteMs = 60_000;
const cleanMsMax = 5000;
/** Five unless the variable says otherwise, as the workflow does each night. */
const kills = Number(process.env.KILLS ?? 5);
/** All that break anything, as far as this machine can. */
const names = scenarios
  .filter((scenario) => scenario.faults !== undefined && refusal('native', scenario) === undefined)
  .map(({ name }) => name);
/** What a run says of the part that it is in, in order. It speaks once a second, so one that is short may go unsaid. */
const parts = ['starting', 'warm-up', 'baseline', 'onset', 'fault', 'heal', 'recovered'];
const from = (scenario: string, part: string) =>
  new RegExp(`^${scenario}: (${parts.slice(parts.indexOf(part)).join('|')}) `, 'm');
/** Most kills fall into the fault. */
const moments = ['starting', 'warm-up', 'baseline', 'onset', 'fault', 'fault', 'heal'];
/** After that, so that all of a part and the seam to the next may be met. */
const laterMsMax = 2500;

const heal = () => run(['run', '--silent', 'heal'], {}, 'npm');
const options = (out: string) => ({ driver: 'native', seed: 1, rate: 200, out });

describe('kill -9 of the whole process group of a runner', () => {
  it(
    `at ${kills} random moments leaves nothing after ${cleanMsMax / 1000} s, though nobody types anything`,
    async () => {
      using out = temporaryDirectory();
      const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
      console.log(`KILL_SEED=${seed}`);
      const random = xoroshiro128plus(seed);
      for (let i = 0; i < kills; i++) {
        const oneOf = (list: readonly string[]) => list[uniformInt(random, 0, list.length - 1)] as string;
        const [scenario, part, laterMs] = [oneOf(names), oneOf(moments), uniformInt(random, 0, laterMsMax)];
        using runner = new RunOutside(scenario, options(out.path));
        await runner.says(from(scenario, part));
        await sleep(laterMs);
        const had = runner.killAll();
        const cleanMs = Math.round(await runner.clean(cleanMsMax));
        console.log(`${scenario}, ${part} and ${laterMs} ms: ${had} processes, clean after ${cleanMs} ms`);
      }
      expect(await heal()).toMatchObject({ status: 0, stdout: 'Nothing is left behind.\n' });
    },
    kills * minuteMs,
  );
});

describe('when the watchdog is killed as well', () => {
  it(
    'the next run refuses to begin, and names what is left, until npm run heal has put it right',
    async () => {
      using out = temporaryDirectory();
      await using runner = scenarioCommand('partition', options(out.path));
      await runner.says(/^partition: (onset|fault) /m, minuteMs);
      const watchdog = RunOutside.watchdogOf(runner.pid);
      process.kill(watchdog, 'SIGKILL');
      runner.kill('SIGKILL');
      await runner.ended;
      const left = processesOf(runner.left);
      expect(left.length).toBeGreaterThan(6);

      const refused = await run(['scenarios/main.ts', 'baseline', '--driver', 'native', '--out', out.path]);
      expect({ status: refused.status, noted: refused.noted }).toEqual({ status: 255, noted: [] });
      expect(refused.stderr).toMatch(/^An earlier run has left something behind: .* Type: npm run heal$/m);
      for (const { name, pid } of left) expect(refused.stderr).toContain(`${name} (process ${pid})`);

      const first = await heal();
      for (const { name, pid } of left) expect(first.stdout).toContain(`Ended ${name} (process ${pid}).\n`);
      expect(first.stdout).toMatch(/^Removed the directory .*failopen-/m);
      expect({ status: first.status, left: runner.left, undo: runner.undoFiles }).toEqual({
        status: 0,
        left: [],
        undo: [],
      });
      expect(await heal()).toMatchObject({ status: 0, stdout: 'Nothing is left behind.\n' });
    },
    2 * minuteMs,
  );
});

describe('npm run heal', () => {
  it('ends with 255, and says on standard error what is still to be put right', async () => {
    const path = writeRecord(undoDirectory, [deadRunner, 'null\n'], '1-0123456789ab.ndjson');
    try {
      const { status, stderr } = await run(['chaos/undo/heal.ts']);
      const line =
        "1-0123456789ab.ndjson, line 2, is none of the lab's: Invalid input: expected object, received null; left alone";
      expect({ status, stderr }).toEqual({
        status: 255,
        stderr: `${line}\nStill to be put right. Again: npm run heal\n`,
      });
    } finally {
      rmSync(path);
    }
  });
});
