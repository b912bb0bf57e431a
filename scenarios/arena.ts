// `npm run arena`: the telling scenarios on limiters of several makes, and one table of what came of it.

import { basename, join } from 'node:path';
import '../chaos/command.ts';
import { type Arena, type Entry, entryOf } from '../chaos/arena/arena.ts';
import { arenaMdOf } from '../chaos/arena/arena-md.ts';
import { arenaPageOf } from '../chaos/arena/arena-page.ts';
import { glance } from '../chaos/arena/rows.ts';
import { serviceEnvironment } from '../chaos/bounds.ts';
import { chooseDriver, refusal, targetRefusal } from '../chaos/drivers/choose.ts';
import type { Driver } from '../chaos/environment.ts';
import { endWith, exitStatus, explained, interruption, UsageError } from '../chaos/errors.ts';
import { asOutput, makeDirectory, replaceFile } from '../chaos/host/run-files.ts';
import { oneLine } from '../chaos/printable.ts';
import { leave } from '../chaos/report/leave.ts';
import { fromHere, ProgressLine } from '../chaos/report/terminal.ts';
import type { RunResult } from '../chaos/run/recorded-run.ts';
import { runScenario } from '../chaos/run/runner.ts';
import type { Scenario } from '../chaos/scenario.ts';
import type { Target } from '../chaos/targets/target.ts';
import { type ArenaOptions, arenaOptions } from './arena-options.ts';

async function oneRun(
  target: Target,
  scenario: Scenario,
  { seed, rate, out }: Pick<ArenaOptions, 'seed' | 'rate' | 'out'>,
  driver: Driver,
  signal: AbortSignal,
): Promise<RunResult> {
  const service = serviceEnvironment(scenario.service, process.env);
  const progress = new ProgressLine(`${target.name}, ${scenario.name}`, process.stderr);
  try {
    const onProgress: Parameters<typeof runScenario>[0]['onProgress'] = (state) => progress.show(state);
    return await runScenario({ scenario, driver, target, seed, rate, service, out, signal, onProgress });
  } finally {
    progress.clear();
  }
}

async function main(): Promise<number> {
  const options = arenaOptions(process.argv.slice(2));
  const { driver } = await chooseDriver('native');
  for (const scenario of options.scenarios) {
    for (const target of options.targets) {
      const why = refusal(driver.name, scenario) ?? targetRefusal(driver.name, scenario, target);
      if (why) throw new UsageError(why);
    }
  }
  const signal = interruption('everything that was started has been ended, and the fault healed');
  const startedAt = new Date().toISOString();
  const out = join(options.out, `arena-${startedAt.replace(/[-:]|\.\d+/g, '')}`);
  asOutput(options.out, () => makeDirectory(out));
  const entries: Entry[] = [];
  let environment: Arena['environment'] = {};
  const write = () => {
    const { seed, rate } = options;
    const names = (things: readonly { readonly name: string }[]) => things.map(({ name }) => name);
    const lists = { targets: names(options.targets), scenarios: names(options.scenarios) };
    const arena: Arena = { startedAt, driver: driver.name, seed, rate, environment, ...lists, entries };
    replaceFile(join(out, 'arena.json'), `${JSON.stringify(arena, null, 2)}\n`);
    replaceFile(join(out, 'arena.md'), arenaMdOf(arena));
    replaceFile(join(out, 'arena.html'), arenaPageOf(arena));
  };
  // Scenario by scenario: the limiters that a table compares run within the same two minutes of a shared machine.
  for (const scenario of options.scenarios) {
    for (const target of options.targets) {
      const entry = await oneRun(target, scenario, { ...options, out }, driver.start, signal)
        .then((result): Entry => {
          leave(result.directory, { ...result, gaps: [], described: true });
          environment = result.history.run.environment;
          return entryOf({ ...result, target: target.name, directory: basename(result.directory) });
        })
        .catch((error): Entry => {
          signal.throwIfAborted();
          return { target: target.name, scenario: scenario.name, error: oneLine(explained(error)) };
        });
      entries.push(entry);
      write(); // an arena that is ended early leaves what it has
      process.stdout.write(
        `${scenario.name.padEnd(widthOf(options.scenarios))}${target.name.padEnd(widthOf(options.targets))}${glance(entry)}\n`,
      );
    }
  }
  process.stdout.write(`table: ${fromHere(join(out, 'arena.html'))}\n`);
  return entries.some((entry) => 'error' in entry) ? exitStatus.broken : 0;
}

/** Of a column of their names: the five usual scenarios and six limiters fit into 80 characters with their figures. */
function widthOf(named: readonly { readonly name: string }[]): number {
  return Math.max(...named.map(({ name }) => name.length)) + 2;
}

await main().then((status) => {
  process.exitCode = status;
}, endWith);
