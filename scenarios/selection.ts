// Which scenarios a suite runs: those of a family, those that a text occurs in, and of these one share of several, so that
// several machines run them all between them.

import { UsageError } from '../chaos/errors.ts';
import type { Scenario } from '../chaos/scenario.ts';

/** As typed. */
export interface Selection {
  readonly family?: string | undefined;
  /** Occurs in the name or in the hypothesis, in any case of letters. */
  readonly grep?: string | undefined;
  /** `2/4`: the second of four. */
  readonly shard?: string | undefined;
}

const sharesMax = 100;

/** In their order. Throws a `UsageError` that names the option, its value and what is allowed; also when none is left. */
export function selected(scenarios: readonly Scenario[], { family, grep, shard }: Selection): readonly Scenario[] {
  const families = [...new Set(scenarios.map((scenario) => scenario.family))];
  if (family !== undefined && !families.some((known) => known === family))
    throw new UsageError(`--family is "${family}"; allowed: ${families.join(', ')}.`);
  const { index, count } = shareOf(shard);
  const found = scenarios
    .filter((scenario) => family === undefined || scenario.family === family)
    .filter(({ name, hypothesis }) => `${name}\n${hypothesis}`.toLowerCase().includes((grep ?? '').toLowerCase()));
  if (found.length === 0) throw new UsageError(`No scenario is left by ${shown({ family, grep })}.`);
  const share = found.filter((_, i) => i % count === index); // neighbours are much alike: each share gets some of every kind
  if (share.length === 0) throw new UsageError(`--shard is "${shard}", and there are only ${found.length} scenarios.`);
  return share;
}

function shareOf(shard: string | undefined): { readonly index: number; readonly count: number } {
  if (shard === undefined) return { index: 0, count: 1 };
  const [, index, count] = (/^(\d+)\/(\d+)$/.exec(shard) ?? []).map(Number);
  if (index === undefined || count === undefined || index < 1 || index > count || count > sharesMax)
    throw new UsageError(
      `--shard is "${shard}"; allowed: K/N, the K-th of N shares, with K from 1 to N and N up to ${sharesMax}.`,
    );
  return { index: index - 1, count };
}

function shown(options: Selection): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `--${name} "${value}"`).join(' and ');
}
