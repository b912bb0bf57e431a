// A storm in a file of its own, as `--shrink` writes it: a scenario, and beside it the load and the target that it failed
// with. A file of an older lab has the scenario alone.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { UsageError } from '../chaos/errors.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { assertKnown, minutesMax, stormName } from './storm.ts';

/** What a storm was found with, as on a command line. */
export interface FoundWith {
  readonly seed: number;
  readonly rate: number;
  readonly target: string;
  /** Of the target `command`. */
  readonly command?: string | undefined;
  readonly variables?: readonly string[] | undefined;
}

export interface StormFile {
  readonly scenario: Scenario;
  readonly found: Partial<FoundWith>;
}

/** Whether `--replay` names a file, seen from `directory`, and not a run, which may have any name. */
export function isStormFile(path: string, directory: string): boolean {
  return /\.[cm]?[jt]s$/.test(path) && !existsSync(join(resolve(directory, path), 'events.ndjson'));
}

/**
 * `file`: as it was typed, from `directory`. It is code, and is run. Throws a `UsageError` that says why it holds no storm.
 */
export function stormFrom(file: string, directory: string): StormFile {
  const exported = Object.values(moduleAt(file, resolve(directory, file)));
  const scenario = exported.find(isScenario);
  if (!scenario) throw new UsageError(`${file} holds no storm: it exports no scenario with faults.`);
  const { faults = [], timing, load, topology, withoutStore } = scenario;
  if (load || topology || withoutStore)
    throw new UsageError(`${file} holds no storm: its scenario is more than its faults. Run it by its name.`);
  if (!(timing.durationMs <= minutesMax * 60_000))
    throw new UsageError(`${file} is longer than ${minutesMax} minutes, and so than a storm may be.`);
  for (const { use } of faults) assertKnown(use, file);
  return { scenario: { ...scenario, name: stormName }, found: exported.find(isFoundWith) ?? {} };
}

function moduleAt(file: string, path: string): object {
  try {
    return createRequire(import.meta.url)(path);
  } catch (error) {
    const [why] = String((error as Error).message ?? error).split('\n');
    throw new UsageError(`--replay is "${file}", which cannot be loaded: ${why}`);
  }
}

function isScenario(it: unknown): it is Scenario {
  const { faults, timing, keys, service } = Object(it) as Partial<Scenario>;
  return Array.isArray(faults) && faults.length > 0 && [timing, keys, service].every((each) => each instanceof Object);
}

function isFoundWith(it: unknown): it is Partial<FoundWith> {
  return it instanceof Object && 'seed' in it && 'rate' in it && 'target' in it;
}
