// What the command lines of scenarios share.

import { UsageError } from '../chaos/errors.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { scenarios } from './index.ts';

/** Where the command was typed: npm starts its scripts in the package's own directory. */
export const typedIn = process.env.INIT_CWD ?? process.cwd();

/** Throws a `UsageError` that names the option, its value and what is allowed. */
export function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${option} is "${text}"; allowed: a whole number from ${min} to ${max}.`);
}

/** Throws a `UsageError` when there is none of that name; `others` says which there are. */
export function scenarioOf(name: string, others: string): Scenario {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (!scenario) throw new UsageError(`There is no scenario "${name}".${others}`);
  return scenario;
}
