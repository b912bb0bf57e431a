// Runs of a scenario for tests: by the runner itself, in this process, where something is to be changed that no option
// changes; or by the command, to be watched and interrupted.

import { serviceEnvironment } from '../../chaos/bounds.ts';
import type { CheckResult } from '../../chaos/checks/check.ts';
import { native } from '../../chaos/drivers/native.ts';
import type { UndoEntry } from '../../chaos/host/undo-entry.ts';
import type { RunResult } from '../../chaos/run/recorded-run.ts';
import { type RunOptions, runScenario } from '../../chaos/run/runner.ts';
import type { Scenario } from '../../chaos/scenario.ts';
import { LabCommand } from './lab-processes.ts';

const retriesMax = 1;
const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);

/** The processes of a run on one Redis, by the names that it notes them under. */
export const parts: readonly string[] = [
  'redis',
  'redis-control',
  'toxiproxy',
  ...numbered('limiter', 2),
  'limiter-control',
  'prometheus',
];
/** Those of a run on a cluster, and on Sentinel, that make the difference. */
export const clusterParts: readonly string[] = [...numbered('redis', 6), ...numbered('redis-control', 3)];
export const sentinelParts: readonly string[] = [
  'redis',
  'redis-replica',
  ...numbered('sentinel', 3),
  'redis-control',
  'sentinel-control-1',
];

/** As `npm run scenario` runs it with the native driver, but for the changes. */
export function runOf(scenario: Scenario, out: string, changes: Partial<RunOptions> = {}): Promise<RunResult> {
  return runScenario({
    scenario,
    driver: native,
    seed: 1,
    rate: 1000,
    service: serviceEnvironment(scenario.service, {}),
    out,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...changes,
  });
}

/** Again, with the next seed, as long as the machine was too noisy for a verdict. `checksOf` gives the checks then, else none. */
export async function unlessUnknown<T>(
  attempt: (seed: number) => Promise<T>,
  checksOf: (result: T) => readonly Pick<CheckResult, 'name' | 'phase' | 'verdict' | 'detail'>[],
): Promise<T> {
  for (let seed = 1; ; seed++) {
    const result = await attempt(seed);
    const unknown = checksOf(result).filter(({ verdict }) => verdict === 'unknown');
    if (unknown.length === 0 || seed > retriesMax) return result;
    const reasons = unknown.map(({ name, phase, detail }) => `${name} (${phase}): ${detail}`);
    console.log(`unknown with seed ${seed}, tried again: ${reasons.join('; ')}`);
  }
}

/** The command, with these options and variables. */
export function scenarioCommand(
  name: string,
  options: Readonly<Record<string, string | number>>,
  env: Readonly<Record<string, string>> = {},
): LabCommand {
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
  return new LabCommand(['scenarios/main.ts', name, ...args], env);
}

/** The processes that a run noted. */
export function processesOf(entries: readonly UndoEntry[]) {
  return entries.flatMap((entry) => (entry.kind === 'process' ? [entry] : []));
}
