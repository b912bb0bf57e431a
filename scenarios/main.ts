// `npm run scenario`: lists the experiments, or runs those named and gives a verdict. `npm run suite`: runs them all.

import { join } from 'node:path';
import '../chaos/command.ts';
import { serviceEnvironment } from '../chaos/bounds.ts';
import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import { commandLine } from '../chaos/command-line.ts';
import { chooseDriver, driverFor, driverNames, leversOf, refusal, targetRefusal } from '../chaos/drivers/choose.ts';
import type { Driver } from '../chaos/environment.ts';
import { endWith, exitStatus, interruption, UsageError } from '../chaos/errors.ts';
import { oneLine } from '../chaos/printable.ts';
import type { Journal } from '../chaos/report/journal.ts';
import { leave } from '../chaos/report/leave.ts';
import { fromHere, ProgressLine, reasonOf, table, verdictText } from '../chaos/report/terminal.ts';
import { runScenario } from '../chaos/run/runner.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { isOwn, targetNames, targetOf } from '../chaos/targets/index.ts';
import type { Target } from '../chaos/targets/target.ts';
import { scenarioOf, typedIn, whole } from './arguments.ts';
import { scenarios } from './index.ts';
import { selected } from './selection.ts';
import { runStorm, type StormOptions, stormOptions } from './storm-command.ts';
import { runSuite } from './suite.ts';
import { suiteTable } from './suite-table.ts';

const runsDirectory = join(import.meta.dirname, '..', 'runs');
const usage =
  'npm run scenario NAME… [-- --target T --driver D --seed N --rate N --out DIR --json], or -- --list [--json],\n' +
  'or npm run scenario storm [-- --minutes M], or -- --replay RUN, or -- --shrink RUN [--tries N],\n' +
  'or npm run suite [-- --family F --grep TEXT --shard K/N]';

interface Arguments {
  readonly chosen: readonly Scenario[];
  /** What a storm is made of; undefined when none is asked for. */
  readonly storm: StormOptions | undefined;
  readonly list: boolean;
  readonly suite: boolean;
  readonly json: boolean;
  readonly driver: string;
  readonly target: Target;
  readonly seed: number;
  readonly rate: number;
  readonly out: string;
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parsed(args);
  if (!driverNames.includes(values.driver))
    throw new UsageError(`There is no driver "${values.driver}". Drivers: ${driverNames.join(', ')}.`);
  const storm = stormOptions(positionals, values);
  const { family, grep, shard, suite } = values;
  const list = values.list || (positionals.length === 0 && !suite);
  const named = storm ? [] : positionals.map((name) => scenarioOf(name, `\n\n${listing(scenarios)}`));
  const all = named.length === 0 && (suite || list) ? scenarios : named;
  for (const [option, value] of Object.entries({ family, grep, shard })) {
    if (value !== undefined && !suite && !list) throw new UsageError(`--${option} is of the suite: npm run suite.`);
  }
  const target = targetOf({
    target: values.target,
    command: values.command,
    variables: values['target-env'],
    directory: typedIn,
  });
  return {
    chosen: suite || list ? selected(all, { family, grep, shard }) : named,
    storm,
    list,
    suite,
    json: values.json,
    driver: driverFor(values.driver, target),
    target,
    seed: whole('--seed', values.seed ?? String(Date.now() % 1_000_000), 0, 0x7fffffff),
    rate: whole('--rate', values.rate, 1, 20_000),
    out: values.out,
  };
}

function parsed(args: readonly string[]) {
  return commandLine(
    {
      args: [...args],
      allowPositionals: true,
      options: {
        driver: { type: 'string', default: 'auto' },
        target: { type: 'string', default: targetNames[0] as string },
        command: { type: 'string' },
        'target-env': { type: 'string', multiple: true, default: [] },
        seed: { type: 'string' },
        rate: { type: 'string', default: '1000' },
        out: { type: 'string', default: runsDirectory },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        suite: { type: 'boolean', default: false },
        family: { type: 'string' },
        grep: { type: 'string' },
        shard: { type: 'string' },
        minutes: { type: 'string' },
        replay: { type: 'string' },
        shrink: { type: 'string' },
        tries: { type: 'string' },
      },
    },
    usage,
  );
}

function listing(listed: readonly Scenario[]): string {
  const width = Math.max(...listed.map(({ name }) => name.length)) + 2;
  const line = ({ name, hypothesis }: Scenario) => `  ${name.padEnd(width)}${hypothesis}`;
  const families = [...Map.groupBy(listed, ({ family }) => family)].map(
    ([family, members]) => `${family}:\n${members.map(line).join('\n')}`,
  );
  return `Scenarios\n\n${families.join('\n\n')}\n\nTargets: ${targetNames.join(', ')}\n\nRun one: ${usage}\n`;
}

async function run(
  scenario: Scenario,
  options: Arguments,
  driver: Driver,
  seed: number,
  signal: AbortSignal,
): Promise<Journal> {
  const { rate, out, json, target } = options;
  const service = serviceEnvironment(scenario.service, process.env);
  const progress = new ProgressLine(scenario.name, process.stderr);
  const onProgress: Parameters<typeof runScenario>[0]['onProgress'] = (state) => progress.show(state);
  try {
    const result = await runScenario({ scenario, driver, target, seed, rate, service, out, signal, onProgress });
    const journal = leave(result.directory, { ...result, gaps: [], described: true });
    progress.clear();
    if (!json) {
      process.stdout.write(`\n${table(journal)}\n`);
      process.stdout.write(
        `${verdictText(journal.verdict)} ${scenario.name}${isOwn(target) ? '' : ` of ${target.name}`}: ${oneLine(reasonOf(journal, result.checks))}\n`,
      );
      process.stdout.write(`report: ${fromHere(join(result.directory, 'report.html'))}\n`);
    }
    return journal;
  } finally {
    progress.clear();
  }
}

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  if (options.list) {
    process.stdout.write(options.json ? `${JSON.stringify(options.chosen, null, 2)}\n` : listing(options.chosen));
    return 0;
  }
  const ended = interruption('everything that was started has been ended, and the fault healed');
  const { driver, why } = await chooseDriver(options.driver);
  if (options.driver === 'auto') process.stderr.write(`driver: ${driver.name} (${why})\n`);
  const refused = (scenario: Scenario) =>
    targetRefusal(driver.name, scenario, options.target) ?? refusal(driver.name, scenario);
  const runWith = (scenario: Scenario, { seed, rate }: Pick<Arguments, 'seed' | 'rate'>) => {
    const why = refused(scenario);
    if (why) throw new UsageError(why);
    return run(scenario, { ...options, rate }, driver.start, seed, ended);
  };
  const runOne = (scenario: Scenario, seed: number) => runWith(scenario, { seed, rate: options.rate });
  if (options.suite) {
    const outcome = await runSuite(options.chosen, options.seed, runOne, refused);
    const text = options.json ? JSON.stringify(outcome.journals, null, 2) : suiteTable(outcome);
    process.stdout.write(`${text}\n`);
    return exitStatus[outcome.verdict];
  }
  if (options.storm) return exitStatus[await runStorm(options.storm, options, leversOf(driver.name), runWith)];
  const journals: Journal[] = [];
  for (const scenario of options.chosen) {
    journals.push(await runOne(scenario, options.seed));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(journals, null, 2)}\n`);
  const verdict: Verdict = worstOf(journals.map((journal) => journal.verdict));
  return exitStatus[verdict];
}

await main().then((status) => {
  process.exitCode = status;
}, endWith);
