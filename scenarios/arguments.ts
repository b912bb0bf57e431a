// What the command lines of scenarios share.

import { UsageError } from '../chaos/errors.ts';
import { didYouMean } from '../chaos/near.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { scenarios } from './index.ts';

/** Requests per second that the generator can send. */
export const rateMax = 20_000;

/** Throws a `UsageError` when there is none of that name: it says which was meant, or, by `others`, which there are. */
export function scenarioOf(name: string, others: string, besides: readonly string[] = []): Scenario {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario) return scenario;
  const meant = didYouMean(name, [...scenarios.map((known) => known.name), ...besides]);
  throw new UsageError(
    `There is no scenario "${name}"${meant ? `${meant} npm run scenario lists all.` : `.${others}`}`,
  );
}
