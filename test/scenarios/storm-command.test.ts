// A recorded run that is put on again: which can be, and with what load.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import type { Journal } from '../../chaos/report/journal.ts';
import type { RunEvent } from '../../chaos/run-event.ts';
import { bare } from '../../chaos/targets/bare.ts';
import { failopen } from '../../chaos/targets/failopen.ts';
import { runStorm } from '../../scenarios/storm-command.ts';
import { buildHistory, usualBounds } from '../support/history-builder.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';

/** What is run when a run is replayed of which only the first lines are left; or throws why not. */
async function replayed(changes: Partial<RunEvent>, target = failopen) {
  using directory = temporaryDirectory();
  const { run, answers } = buildHistory();
  writeFileSync(
    join(directory.path, 'events.ndjson'),
    `${JSON.stringify({ ...run, ...changes })}\n${JSON.stringify(answers[0])}\n`,
  );
  const runs: unknown[] = [];
  await runStorm({ replay: directory.path }, { seed: 1, rate: 1, target }, new Set(), async (scenario, load) => {
    runs.push({ load, kinds: scenario.faults?.map(({ use }) => use.kind) });
    return {} as Journal;
  });
  return runs;
}

it('a run is put on again with its own faults, seed and rate', async () => {
  const schedule = buildHistory().run.schedule.map((fault) => ({ ...fault, use: { kind: 'down' } as const }));
  expect(await replayed({ scenario: 'partition', schedule, seed: 7, rate: 600 })).toEqual([
    { load: { seed: 7, rate: 600 }, kinds: schedule.map(() => 'down') },
  ]);
});

const [planned] = buildHistory().run.schedule;
const scheduled = (use: object, durationMs = 14_000): Partial<RunEvent> => ({
  schedule: [{ ...planned, use }] as unknown as RunEvent['schedule'],
  planned: { durationMs, requests: {}, placed: false },
});

it.each<[string, Partial<RunEvent>, string]>([
  [
    'whose fault there is not',
    scheduled({ kind: 'earthquake' }),
    'cannot be put on again. There is no fault "earthquake"',
  ],
  [
    'whose fault has a mistake',
    scheduled({ kind: 'partition', direction: 5 }),
    'again. fault partition: direction: Invalid',
  ],
  ['that is longer than a storm', scheduled({ kind: 'down' }, 1e9), 'is longer than 60 minutes'],
  [
    'with more load than there can be',
    { ...scheduled({ kind: 'down' }), rate: 600_000 },
    'is "600000"; allowed: a whole',
  ],
  [
    'whose first line does not fit',
    { rate: -5 },
    'cannot be put on again. The line that tells what was run is missing',
  ],

  ['whose load changed', { scenario: 'herd' }, 'had a load of its own. Run herd by its name.'],
  ['whose keys were new', { scenario: 'new-keys' }, 'had a load of its own. Run new-keys by its name.'],
  ['of a cluster', { scenario: 'cluster-down' }, 'had a kind of Redis of its own. Run cluster-down by its name.'],
  ['of nothing broken', { scenario: 'baseline', schedule: [] }, 'has no schedule of faults'],
  [
    'of other settings',
    { ...scheduled({ kind: 'down' }), bounds: { ...usualBounds, redisTimeoutMs: 2000, breakerFailures: 4 } },
    'was run with redisTimeoutMs 2000, and not 5, breakerFailures 4, and not 3. Set that as it was, in the environment',
  ],
  ['of another target', { target: bare.name }, 'is a run of the target bare, and not of failopen. Give --target.'],
])('a run %s is refused', async (_what, changes, why) => {
  const refused = expect(replayed(changes)).rejects;
  await refused.toThrow(UsageError);
  await refused.toThrow(why);
});

it.each([
  ['is empty', ''],
  ['holds something else', '{"a":1}\n'],
])('a run whose record %s is refused', async (_what, text) => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'events.ndjson'), text);
  const refused = () => runStorm({ replay: directory.path }, { seed: 1, rate: 1, target: failopen }, new Set(), never);
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow('holds nothing that a run records');
});

function never(): never {
  throw new Error('it was run');
}
