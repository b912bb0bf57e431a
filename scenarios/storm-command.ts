// `npm run scenario storm`: a storm by its seed, one that was recorded again, or the fewest faults of it that still fail.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { boundsFor, serviceEnvironment } from '../chaos/bounds.ts';
import type { Verdict } from '../chaos/checks/check.ts';
import { typedIn, whole } from '../chaos/command-line.ts';
import { LabError, UsageError } from '../chaos/errors.ts';
import { oneLine } from '../chaos/printable.ts';
import type { Journal } from '../chaos/report/journal.ts';
import { readRun } from '../chaos/report/read-run.ts';
import type { Run } from '../chaos/report/run.ts';
import type { RunEvent } from '../chaos/run-event.ts';
import type { Lever, Scenario, ScheduledFault } from '../chaos/scenario.ts';
import { failopen } from '../chaos/targets/failopen.ts';
import type { Target } from '../chaos/targets/target.ts';
import { rateMax } from './arguments.ts';
import { service } from './defaults.ts';
import { scenarios } from './index.ts';
import { scenarioText } from './scenario-text.ts';
import { fewest, shortest } from './shrink.ts';
import { minutesMax, replayOf, stormName, stormOf, stormOfOnly } from './storm.ts';
import { type FoundWith, isStormFile, type StormFile, stormFrom } from './storm-file.ts';

/** What is asked for: a new storm of so many minutes, one that stands in a file, or what to do with a recorded run. */
export type StormOptions =
  | { readonly minutes: number }
  | { readonly again: StormFile }
  | { readonly replay: string }
  | Shrink;

interface Shrink {
  readonly shrink: string;
  readonly tries: number;
}

/** Runs of a schedule that does not fail, before it is taken for one that does not. */
const triesDefault = 2;
const triesMax = 10;

interface Load {
  readonly seed: number;
  readonly rate: number;
}

/** As typed. */
interface StormValues {
  readonly minutes?: string;
  readonly replay?: string;
  readonly shrink?: string;
  readonly tries?: string;
  readonly suite: boolean;
  readonly seed?: string;
  readonly rate?: string;
  readonly json?: boolean;
}

/** Undefined when no storm is asked for. Throws a `UsageError` that names what does not go together. */
export function stormOptions(
  names: readonly string[],
  { minutes, replay, shrink, tries, suite, seed, rate, json }: StormValues,
): StormOptions | undefined {
  const isGiven = ([, value]: [string, string | undefined]) => value !== undefined;
  const given = Object.entries({ minutes, replay, shrink }).filter(isGiven);
  if (!names.includes(stormName)) {
    for (const [option] of [...given, ...Object.entries({ tries }).filter(isGiven)])
      throw new UsageError(`--${option} is of a storm: npm run scenario storm.`);
    return undefined;
  }
  if (names.length > 1 || suite)
    throw new UsageError(`A storm is run by itself, and not with ${suite ? 'the suite' : 'others'}.`);
  if (given.length > 1)
    throw new UsageError(`One of ${given.map(([option]) => `--${option}`).join(', ')} can be done, not all.`);
  const [recordedBy] = Object.entries({ replay, shrink }).find(isGiven) ?? [];
  const [itsOwn] = Object.entries({ seed, rate }).find(isGiven) ?? [];
  const isFile = replay !== undefined && isStormFile(replay, typedIn);
  if (recordedBy && itsOwn && !isFile)
    throw new UsageError(`--${itsOwn} is of a new storm: --${recordedBy} takes that of the run.`);
  if (shrink !== undefined && json) throw new UsageError('--shrink prints a file for scenarios/, and no JSON.');
  if (shrink !== undefined) return { shrink, tries: whole('--tries', tries ?? String(triesDefault), 1, triesMax) };
  if (tries !== undefined) throw new UsageError('--tries is of --shrink RUN.');
  if (isFile) return { again: stormFrom(replay, typedIn) };
  if (replay !== undefined) return { replay };
  return { minutes: whole('--minutes', minutes ?? '1', 1, minutesMax) };
}

/** A new storm, or an earlier one again. */
export function runStorm(
  options: Exclude<StormOptions, Shrink>,
  { seed, rate, target }: Load & { readonly target: Target },
  levers: ReadonlySet<Lever>,
  run: (scenario: Scenario, load: Load) => Promise<Journal>,
): Promise<Journal> {
  if ('again' in options) return run(options.again.scenario, { seed, rate });
  if ('minutes' in options) return run(stormOf(seed, options.minutes, levers), { seed, rate });
  const { scenario, load } = recorded(options.replay, target);
  return run(scenario, load);
}

/**
 * Every schedule that is tried is a run of its own, and leaves its report. One fails when a run of it does; an *unknown*
 * is a run that does not. The file goes to standard output, also when a run throws: then with the smallest schedule until
 * there. All else goes to standard error. Throws a `UsageError` when the recorded run has nothing to shrink.
 */
export async function shrinkStorm(
  { shrink: path, tries }: Shrink,
  { target, typed }: { readonly target: Target; readonly typed: Omit<FoundWith, keyof Load> },
  run: (scenario: Scenario, load: Load) => Promise<Journal>,
): Promise<Verdict> {
  const { scenario, load, failed } = recorded(path, target);
  const { faults = [] } = scenario;
  if (failed.length === 0) throw new UsageError(`--shrink is "${path}", a run in which no check failed.`);
  const tells = (text: string) => process.stderr.write(`${oneLine(text)}\n`);
  tells(`${faults.length} faults fail ${failed.join(', ')}`);
  let smallest = faults;
  const fails = async (some: readonly ScheduledFault[]) => {
    const kinds = some.map(({ use, forMs }) => `${use.kind} for ${forMs} ms`).join(', ');
    for (let k = 1; k <= tries; k++) {
      const { checks } = await run(stormOfOnly(some), load);
      if (!checks.some(({ verdict, name }) => verdict === 'fail' && failed.includes(name))) continue;
      tells(`${kinds}: fails, in 1 of ${k} runs`);
      smallest = some;
      return true;
    }
    tells(`${kinds}: does not fail, in ${tries} of ${tries} runs`);
    return false;
  };
  const name = `shrunk-${load.seed}`;
  const write = (end: string) => {
    const left = `${smallest.length} of ${faults.length} faults are left that fail ${failed.join(', ')}${end}.`;
    tells(`${left} As scenarios/${name}.ts:`);
    const shown = { ...stormOfOnly(smallest), name, service: serviceEnvironment(service, process.env) };
    process.stdout.write(scenarioText(shown, { ...load, ...typed }, oneLine(left)));
  };
  try {
    await shortest(await fewest(faults, fails), fails);
  } catch (error) {
    if (smallest === faults) tells('It ended before any smaller schedule had failed.');
    else write('. It ended early, so fewer or shorter ones may do');
    throw error;
  }
  write('');
  return 'fail';
}

/** Throws a `UsageError` that says why the run cannot be put on again. */
function recorded(path: string, target: Target): { scenario: Scenario; load: Load; failed: readonly string[] } {
  const directory = resolve(typedIn, path);
  const name = basename(directory);
  const { history, checks, described, gaps } = readOr(directory, path);
  if (!described) throw new UsageError(`${name} cannot be put on again. ${gaps.join(' ')}`);
  const { run } = history;
  const { target: judged = failopen.name } = run;
  if (judged !== target.name)
    throw new UsageError(`${name} is a run of the target ${judged}, and not of ${target.name}. Give --target.`);
  const itsOwn = besidesFaults(run.scenario);
  if (itsOwn) throw new UsageError(`${name} had ${itsOwn} of its own. Run ${run.scenario} by its name.`);
  const otherwise = boundsUnlike(run, target);
  if (otherwise.length > 0)
    throw new UsageError(
      `${name} was run with ${otherwise.join(', ')}. Set that as it was, in the environment or in the target's bounds.`,
    );
  const failed = checks.filter(({ verdict }) => verdict === 'fail').map((check) => check.name);
  return {
    scenario: replayOf(run, name),
    load: { seed: run.seed, rate: whole(`The rate of ${name}`, String(run.rate), 1, rateMax) },
    failed: [...new Set(failed)],
  };
}

/** What the run was held to and what would be run now would not be: it would be another limiter. */
function boundsUnlike({ bounds }: RunEvent, target: Target): string[] {
  const were = new Map<string, unknown>(Object.entries(bounds));
  return Object.entries(boundsFor(target, serviceEnvironment(service, process.env)))
    .filter(([name, value]) => were.has(name) && were.get(name) !== value) // a file of an older lab has not all of them
    .map(([name, value]) => `${name} ${were.get(name)}, and not ${value}`);
}

/** `path`: as it was typed. */
function readOr(directory: string, path: string): Run {
  const events = join(directory, 'events.ndjson');
  if (!existsSync(events)) throw new UsageError(`There is no recorded run ${path}: it holds no events.ndjson.`);
  try {
    return readRun(events);
  } catch (error) {
    throw error instanceof LabError ? new UsageError(`${error.message}.`) : error; // it is no run's file
  }
}

/** What a scenario has that its schedule of faults does not tell, and without which it would be another run. */
function besidesFaults(name: string): string | undefined {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario?.load) return 'a load';
  return scenario?.topology ? 'a kind of Redis' : undefined;
}
