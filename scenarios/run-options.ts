// What `npm run scenario` and `npm run suite` are told on their command line.

import { join } from 'node:path';
import { commandLine, outDirectory, typedIn, whole } from '../chaos/command-line.ts';
import { type DriverName, driverFor, driverNames, refusal } from '../chaos/drivers/choose.ts';
import { UsageError } from '../chaos/errors.ts';
import { wrapped } from '../chaos/printable.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { targetNames, targetOf } from '../chaos/targets/index.ts';
import type { Target } from '../chaos/targets/target.ts';
import { rateMax, scenarioOf } from './arguments.ts';
import { scenarios } from './index.ts';
import { selected } from './selection.ts';
import { stormName } from './storm.ts';
import { type StormOptions, stormOptions } from './storm-command.ts';
import type { FoundWith } from './storm-file.ts';

const runsDirectory = join(import.meta.dirname, '..', 'runs');
const usage = `npm run scenario NAME… [-- --target T --driver D --seed N --rate N --out DIR]
npm run scenario [-- --list --driver D --json]
npm run scenario storm [-- --minutes M]
npm run scenario storm -- --replay RUN|FILE
npm run scenario storm -- --shrink RUN [--tries N]
npm run suite [-- --family F --grep TEXT --shard K/N]
npm run scenario -- --help`;

/** What `--help` says, in lines of at most 80 columns. */
const help = `${usage}

Options of a run

  --driver D        who starts the parts: auto, native, containers, compose
  --target T        the limiter under test: a name, command, or a file of YAML
  --command 'CMD'   the program of --target command
  --target-env K=V  a variable of that program; may be repeated
  --seed N          fixes the schedule; the clock draws one without it
  --rate N          requests per second over both limiters: 1000 without it
  --out DIR         where the results go: runs without it
  --json            prints JSON
  --list            lists the scenarios

Of the suite

  --family F        the scenarios of one family alone
  --grep TEXT       those in whose name or hypothesis TEXT occurs
  --shard K/N       the K-th of N shares of what is left then

Of a storm

  --minutes M       how long it lasts: 1 without it
  --replay RUN      the same faults and load as in a run, or in a shrunk file
  --shrink RUN      the fewest of its faults that still fail
  --tries N         runs of a schedule that does not fail, meanwhile: 2

npm run scenario lists the scenarios and the targets.`;

export interface RunOptions {
  readonly chosen: readonly Scenario[];
  /** What a storm is made of; undefined when none is asked for. */
  readonly storm: StormOptions | undefined;
  readonly list: boolean;
  readonly suite: boolean;
  readonly json: boolean;
  readonly driver: string;
  readonly target: Target;
  /** The same as it was typed. */
  readonly typed: Omit<FoundWith, 'seed' | 'rate'>;
  readonly seed: number;
  readonly rate: number;
  /** Whether somebody chose the rate. */
  readonly isRateGiven: boolean;
  readonly out: string;
}

/** Throws a `UsageError` that names the option, its value and what is allowed. */
export function runOptions(args: readonly string[]): RunOptions {
  const { values, positionals } = parsed(args);
  if (!driverNames.includes(values.driver))
    throw new UsageError(`There is no driver "${values.driver}". Drivers: ${driverNames.join(', ')}.`);
  const storm = stormOptions(positionals, values);
  const { family, grep, shard, suite } = values;
  const list = values.list || (positionals.length === 0 && !suite);
  const named = storm
    ? []
    : positionals.map((name) => scenarioOf(name, `\n\n${listing(scenarios, process.stderr.columns)}`, [stormName]));
  const all = named.length === 0 && (suite || list) ? scenarios : named;
  for (const [option, value] of Object.entries({ family, grep, shard })) {
    if (value !== undefined && !suite && !list) throw new UsageError(`--${option} is of the suite: npm run suite.`);
  }
  const found: Partial<FoundWith> = storm && 'again' in storm ? storm.again.found : {};
  const typed = targetAs(values, found);
  const target = targetOf({ ...typed, variables: typed.variables ?? [], directory: typedIn });
  const chosen = suite || list ? selected(all, { family, grep, shard }) : named;
  const canRun = (scenario: Scenario) => refusal(values.driver as DriverName, scenario) === undefined;
  return {
    chosen: list && values.driver !== 'auto' ? chosen.filter(canRun) : chosen,
    storm,
    list,
    suite,
    json: values.json,
    driver: driverFor(values.driver, target),
    target,
    typed,
    seed: whole('--seed', values.seed ?? String(found.seed ?? Date.now() % 1_000_000), 0, 0x7fffffff),
    rate: whole('--rate', values.rate ?? String(found.rate ?? 1000), 1, rateMax),
    isRateGiven: values.rate !== undefined,
    out: outDirectory(values.out),
  };
}

/** What is typed wins over what a storm was found with; a target that is typed has its own command and variables. */
function targetAs(
  values: Pick<ReturnType<typeof parsed>['values'], 'target' | 'command' | 'target-env'>,
  found: Partial<FoundWith>,
): RunOptions['typed'] {
  const its: Partial<FoundWith> = values.target === undefined ? found : {};
  const variables = values['target-env'].length > 0 ? values['target-env'] : its.variables;
  return {
    target: values.target ?? its.target ?? (targetNames[0] as string),
    command: values.command ?? its.command,
    variables,
  };
}

function parsed(args: readonly string[]) {
  return commandLine(
    {
      args: [...args],
      allowPositionals: true,
      options: {
        driver: { type: 'string', default: 'auto' },
        target: { type: 'string' },
        command: { type: 'string' },
        'target-env': { type: 'string', multiple: true, default: [] },
        seed: { type: 'string' },
        rate: { type: 'string' },
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
    help,
  );
}

/** The scenarios with their hypotheses, as `--list` shows them: on a terminal, in lines of its width, where it knows that. */
export function listing(listed: readonly Scenario[], terminalColumns?: number): string {
  const columns = terminalColumns || Number.POSITIVE_INFINITY; // a terminal that does not know says 0
  const width = Math.max(...listed.map(({ name }) => name.length)) + 2;
  const line = ({ name, hypothesis }: Scenario) =>
    wrapped(hypothesis, Math.max(20, columns - width - 2))
      .map((text, i) => `  ${(i === 0 ? name : '').padEnd(width)}${text}`)
      .join('\n');
  const families = [...Map.groupBy(listed, ({ family }) => family)].map(
    ([family, members]) => `${family}:\n${members.map(line).join('\n')}`,
  );
  return `Scenarios\n\n${families.join('\n\n')}\n\n${wrapped(`Targets: ${targetNames.join(', ')}`, columns).join('\n')}\n\nRun one\n\n${usage.replaceAll(/^/gm, '  ')}\n`;
}
