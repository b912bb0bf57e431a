// `npm run scenario storm`: a storm by its seed, one that was recorded again, or the fewest faults of it that still fail.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Verdict } from '../chaos/checks/check.ts';
import { UsageError } from '../chaos/errors.ts';
import { oneLine } from '../chaos/printable.ts';
import type { Journal } from '../chaos/report/journal.ts';
import { readRun } from '../chaos/report/read-run.ts';
import type { Lever, Scenario } from '../chaos/scenario.ts';
import { failopen } from '../chaos/targets/failopen.ts';
import type { Target } from '../chaos/targets/target.ts';
import { typedIn, whole } from './arguments.ts';
import { fewest, minutesMax, replayOf, stormName, stormOf, stormOfOnly } from './storm.ts';

/** What is asked for: a new storm of so many minutes, or what to do with a recorded run. */
export type StormOptions = { readonly minutes: number } | { readonly replay: string } | { readonly shrink: string };

interface Load {
  readonly seed: number;
  readonly rate: number;
}

/** Undefined when no storm is asked for. Throws a `UsageError` that names what does not go together. */
export function stormOptions(
  names: readonly string[],
  { minutes, replay, shrink, suite }: { minutes?: string; replay?: string; shrink?: string; suite: boolean },
): StormOptions | undefined {
  const given = Object.entries({ minutes, replay, shrink }).filter(([, value]) => value !== undefined);
  if (!names.includes(stormName)) {
    for (const [option] of given) throw new UsageError(`--${option} is of a storm: npm run scenario storm.`);
    return undefined;
  }
  if (names.length > 1 || suite)
    throw new UsageError(`A storm is run by itself, and not with ${suite ? 'the suite' : 'others'}.`);
  if (given.length > 1)
    throw new UsageError(`One of ${given.map(([option]) => `--${option}`).join(', ')} can be done, not all.`);
  if (replay !== undefined) return { replay };
  if (shrink !== undefined) return { shrink };
  return { minutes: whole('--minutes', minutes ?? '1', 1, minutesMax) };
}

export async function runStorm(
  options: StormOptions,
  { seed, rate, target }: Load & { readonly target: Target },
  levers: ReadonlySet<Lever>,
  run: (scenario: Scenario, load: Load) => Promise<Journal>,
): Promise<Verdict> {
  if ('minutes' in options) return (await run(stormOf(seed, options.minutes, levers), { seed, rate })).verdict;
  if ('replay' in options) {
    const { scenario, load } = recorded(options.replay, target);
    return (await run(scenario, load)).verdict;
  }
  return shrink(options.shrink, target, run);
}

/** Every storm that is tried is a run of its own, and leaves its report. An *unknown* counts as a storm that does not fail. */
async function shrink(
  path: string,
  target: Target,
  run: (scenario: Scenario, load: Load) => Promise<Journal>,
): Promise<Verdict> {
  const { scenario, load, failed } = recorded(path, target);
  const { faults = [] } = scenario;
  if (failed.length === 0) throw new UsageError(`--shrink is "${path}", a run in which no check failed.`);
  const tells = (text: string) => process.stderr.write(`${oneLine(text)}\n`);
  tells(`${faults.length} faults fail ${failed.join(', ')}`);
  const left = await fewest(faults, async (some) => {
    const journal = await run(stormOfOnly(some), load);
    const again = journal.checks.filter(({ verdict, name }) => verdict === 'fail' && failed.includes(name));
    tells(`${some.map(({ use }) => use.kind).join(', ')}: ${again.length > 0 ? 'fails' : 'does not fail'}`);
    return again.length > 0;
  });
  const kinds = left.map(({ use, on }) => `${JSON.stringify(use)} on ${on}`).join(', then ');
  process.stdout.write(
    `${left.length} of ${faults.length} faults are left that fail ${oneLine(failed.join(', '))}: ${oneLine(kinds)}\n`,
  );
  return 'fail';
}

function recorded(path: string, target: Target): { scenario: Scenario; load: Load; failed: readonly string[] } {
  const directory = resolve(typedIn, path);
  const events = join(directory, 'events.ndjson');
  if (!existsSync(events)) throw new UsageError(`There is no recorded run ${path}: it holds no events.ndjson.`);
  const { history, checks } = readRun(events);
  const { run } = history;
  const { target: name = failopen.name } = run;
  if (name !== target.name)
    throw new UsageError(
      `${basename(directory)} is a run of the target ${name}, and not of ${target.name}. Give --target.`,
    );
  const failed = checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name);
  return {
    scenario: replayOf(run, basename(directory)),
    load: { seed: run.seed, rate: run.rate },
    failed: [...new Set(failed)],
  };
}
