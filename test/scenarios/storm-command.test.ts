// A recorded run that is put on again: which can be, and with what load.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import type { HistoryEvent } from '../../chaos/history.ts';
import type { Journal } from '../../chaos/report/journal.ts';
import type { RunEvent } from '../../chaos/run-event.ts';
import type { ScheduledFault } from '../../chaos/scenario.ts';
import { bare } from '../../chaos/targets/bare.ts';
import { failopen } from '../../chaos/targets/failopen.ts';
import { service } from '../../scenarios/defaults.ts';
import { latency } from '../../scenarios/latency.ts';
import { runOptions } from '../../scenarios/run-options.ts';
import { scenarioText } from '../../scenarios/scenario-text.ts';
import { runStorm, shrinkStorm } from '../../scenarios/storm-command.ts';
import { stormFrom } from '../../scenarios/storm-file.ts';
import { buildHistory, eventsOf, usualBounds } from '../support/history-builder.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';
import { linesOf, specs } from '../support/runs.ts';

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

/** What `--shrink` writes and says of a run in which four faults failed `availability`, when each try `fails`, or throws. */
async function shrunk(fails: (faults: readonly ScheduledFault[]) => boolean) {
  using directory = temporaryDirectory();
  const [run, ...others] = eventsOf(specs.fail) as [RunEvent, ...HistoryEvent[]];
  const schedule = [1, 2, 3, 4].map((k) => ({ ...planned, use: { kind: 'down' }, atMs: 5000 * k, forMs: 1500 }));
  const storm = { ...run, scenario: 'storm', schedule, seed: 7, rate: 600 } as RunEvent;
  writeFileSync(join(directory.path, 'events.ndjson'), linesOf([storm, ...others]));
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += text;
      return true;
    });
  onTestFinished(() => void vi.restoreAllMocks());
  const ended = await shrinkStorm(
    { shrink: directory.path, tries: 1 },
    { target: failopen, typed: { target: 'failopen' } },
    async ({ faults = [] }) => {
      const verdict = fails(faults) ? 'fail' : 'pass';
      return { checks: [{ name: 'availability', verdict }] } as unknown as Journal;
    },
  ).catch(({ message }) => message);
  vi.restoreAllMocks();
  return { ended, ...written };
}

/** The storm in the file that was written. */
function stormIn(text: string) {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'shrunk-7.ts'), text);
  const { scenario, found } = stormFrom('shrunk-7.ts', directory.path);
  return { faults: scenario.faults?.length, service: scenario.service, found };
}

const withIt = { found: { seed: 7, rate: 600, target: 'failopen' } };

it('a shrunk storm goes to standard output alone, with its load, its target and its settings', async () => {
  vi.stubEnv('LOG_LEVEL', 'debug');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { ended, stdout, stderr } = await shrunk(() => true);
  expect({ ended, told: stderr }).toEqual({
    ended: 'fail',
    told: expect.stringMatching(
      /^4 faults fail .*\n1 of 4 faults are left that fail .*\. As scenarios\/shrunk-7\.ts:\n$/s,
    ),
  });
  expect(stormIn(stdout)).toEqual({ ...withIt, faults: 1, service: { ...service, LOG_LEVEL: 'debug' } });
});

it('a storm whose shrinking is ended by somebody leaves the smallest one until then, and says so', async () => {
  let runs = 0;
  const { ended, stdout, stderr } = await shrunk(() => {
    if (++runs === 2) throw new Error('SIGINT');
    return true;
  });
  expect({ ended, told: stderr.split('\n').at(-2) }).toEqual({
    ended: 'SIGINT',
    told: expect.stringMatching(
      /^2 of 4 faults are left that fail .*\. It ended early, so fewer or shorter ones may do\. As/,
    ),
  });
  expect(stormIn(stdout)).toEqual({ ...withIt, faults: 2, service });
});

it('a storm whose shrinking is ended before any part of it has failed leaves no file', async () => {
  const { ended, stdout, stderr } = await shrunk(() => {
    throw new Error('SIGINT');
  });
  expect({ ended, stdout }).toEqual({ ended: 'SIGINT', stdout: '' });
  expect(stderr).toMatch(/It ended before any smaller schedule had failed\.\n$/);
});

it('a storm in a file is run with the load and the target that it was found with, unless told otherwise', async () => {
  using directory = temporaryDirectory();
  const found = { seed: 7, rate: 600, target: 'command', command: 'node a.js', variables: ['A=1'] };
  const file = join(directory.path, 'shrunk-7.ts');
  writeFileSync(file, scenarioText({ ...latency, name: 'shrunk-7' }, found, 'It failed.'));
  const asked = (...args: string[]) => {
    const { seed, rate, typed, target } = runOptions(['storm', '--replay', file, ...args]);
    return { seed, rate, typed, target: target.name };
  };
  const { seed, rate, ...typed } = found;
  expect(asked()).toEqual({ seed, rate, typed, target: 'command' });
  expect(asked('--seed', '8', '--rate', '900')).toEqual({ seed: 8, rate: 900, typed, target: 'command' });
  expect(asked('--target', 'bare')).toEqual({ seed, rate, typed: { target: 'bare' }, target: 'bare' });
});

it('a run is replayed as one whatever its directory is called', () => {
  using directory = temporaryDirectory();
  const run = join(directory.path, 'kept.ts');
  mkdirSync(run);
  writeFileSync(join(run, 'events.ndjson'), '');
  expect(runOptions(['storm', '--replay', run]).storm).toEqual({ replay: run });
});
