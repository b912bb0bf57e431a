// `npm run scenario`: lists the experiments, or runs those named and gives a verdict. `npm run suite`: runs them all.

import { join } from 'node:path';
import '../chaos/command.ts';
import { serviceEnvironment } from '../chaos/bounds.ts';
import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import { chooseDriver, leversOf, refusal, targetRefusal } from '../chaos/drivers/choose.ts';
import type { Driver } from '../chaos/environment.ts';
import { endWith, exitStatus, interruption, UsageError } from '../chaos/errors.ts';
import { oneLine } from '../chaos/printable.ts';
import type { Journal } from '../chaos/report/journal.ts';
import { leave } from '../chaos/report/leave.ts';
import { fromHere, ProgressLine, reasonOf, table, verdictText } from '../chaos/report/terminal.ts';
import { runScenario } from '../chaos/run/runner.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { isOwn } from '../chaos/targets/index.ts';
import { listing, type RunOptions, runOptions } from './run-options.ts';
import { runStorm, shrinkStorm } from './storm-command.ts';
import { runSuite } from './suite.ts';
import { suiteTable } from './suite-table.ts';

async function run(
  scenario: Scenario,
  options: RunOptions,
  driver: Driver,
  seed: number,
  signal: AbortSignal,
): Promise<Journal> {
  const { rate, out, json, storm, target } = options;
  const service = serviceEnvironment(scenario.service, process.env);
  const progress = new ProgressLine(scenario.name, process.stderr);
  const onProgress: Parameters<typeof runScenario>[0]['onProgress'] = (state) => progress.show(state);
  try {
    const result = await runScenario({ scenario, driver, target, seed, rate, service, out, signal, onProgress });
    const journal = leave(result.directory, { ...result, gaps: [], described: true });
    progress.clear();
    if (!json) {
      const told = storm && 'shrink' in storm ? process.stderr : process.stdout; // there the file that it makes stands alone
      told.write(`\n${table(journal)}\n`);
      told.write(
        `${verdictText(journal.verdict)} ${scenario.name}${isOwn(target) ? '' : ` of ${target.name}`}: ${oneLine(reasonOf(journal, result.checks))}\n`,
      );
      told.write(`report: ${fromHere(join(result.directory, 'report.html'))}\n`);
    }
    return journal;
  } finally {
    progress.clear();
  }
}

async function main(): Promise<number> {
  const options = runOptions(process.argv.slice(2));
  if (options.list) {
    process.stdout.write(
      options.json ? `${JSON.stringify(options.chosen, null, 2)}\n` : listing(options.chosen, process.stdout.columns),
    );
    return 0;
  }
  const ended = interruption('everything that was started has been ended, and the fault healed');
  const { driver, why } = await chooseDriver(options.driver);
  if (options.driver === 'auto') process.stderr.write(`driver: ${driver.name} (${why})\n`);
  const refused = (scenario: Scenario) =>
    targetRefusal(driver.name, scenario, options.target) ?? refusal(driver.name, scenario);
  const runWith = (scenario: Scenario, { seed, rate }: Pick<RunOptions, 'seed' | 'rate'>) => {
    const why = refused(scenario);
    if (why) throw new UsageError(why);
    return run(scenario, { ...options, rate }, driver.start, seed, ended);
  };
  if (options.suite) {
    const runAgain: typeof runWith = (scenario, { seed, rate }) => {
      const again = `${scenario.name}: again, with seed ${seed} and ${rate} requests/s, since it was unknown\n`;
      if (seed !== options.seed) process.stderr.write(again);
      return runWith(scenario, { seed, rate });
    };
    const outcome = await runSuite(options.chosen, options, runAgain, refused, ended);
    const { journals, rows, verdict, ended: early } = outcome;
    if (!options.json) process.stdout.write(`${suiteTable(outcome)}\n`);
    else if (!early) process.stdout.write(`${JSON.stringify(journals, null, 2)}\n`);
    if (early) throw early.by;
    const broken = rows.filter((row) => 'broken' in row);
    if (options.json) for (const { scenario, broken: why } of broken) process.stderr.write(`${scenario}: ${why}\n`);
    return broken.length > 0 ? exitStatus.broken : exitStatus[verdict];
  }
  const journals: Journal[] = [];
  if (options.storm) {
    if ('shrink' in options.storm) return exitStatus[await shrinkStorm(options.storm, options, runWith)];
    journals.push(await runStorm(options.storm, options, leversOf(driver.name), runWith));
  }
  for (const scenario of options.chosen) {
    journals.push(await runWith(scenario, options));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(journals, null, 2)}\n`);
  const verdict: Verdict = worstOf(journals.map((journal) => journal.verdict));
  return exitStatus[verdict];
}

await main().then((status) => {
  process.exitCode = status;
}, endWith);
