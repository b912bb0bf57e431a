// Writes test/support/recorded-runs.json from runs of the lab: `node test/docs/record-runs.ts runs/A runs/B …`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRun } from '../../chaos/report/read-run.ts';
import { scenarioOf } from '../../scenarios/arguments.ts';
import { recordedRunOf } from '../support/recorded-run.ts';

const runs = process.argv.slice(2).map((directory) => {
  const { history } = readRun(join(directory, 'events.ndjson'));
  return recordedRunOf(history, scenarioOf(history.run.scenario, ''));
});
writeFileSync(join(import.meta.dirname, '..', 'support', 'recorded-runs.json'), `${JSON.stringify(runs, null, 2)}\n`);
