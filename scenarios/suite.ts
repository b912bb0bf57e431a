// The suite: every scenario that the driver can run, one after another. A verdict that the machine was too noisy for is
// tried again, and marked; one that failed never is.

import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import { monotonicUs } from '../chaos/clock.ts';
import type { Journal } from '../chaos/report/journal.ts';
import type { Scenario } from '../chaos/scenario.ts';

const triesMax = 3;

export interface SuiteOutcome {
  /** Of the last try of each scenario that was run. */
  readonly journals: readonly Journal[];
  readonly rows: readonly SuiteRow[];
  readonly verdict: Verdict;
}

export interface RanRow {
  readonly scenario: string;
  /** Of the last try. */
  readonly journal: Journal;
  readonly tries: number;
  /** Of all tries, with starting and ending the parts. */
  readonly tookMs: number;
}

export type SuiteRow = RanRow | { readonly scenario: string; readonly skipped: string };

/** `run` with a seed gives a journal; `refusal` tells why a scenario is left out. */
export async function runSuite(
  scenarios: readonly Scenario[],
  seed: number,
  run: (scenario: Scenario, seed: number) => Promise<Journal>,
  refusal: (scenario: Scenario) => string | undefined,
): Promise<SuiteOutcome> {
  const rows: SuiteRow[] = [];
  for (const scenario of scenarios) {
    const skipped = refusal(scenario);
    rows.push(skipped === undefined ? await runUntilKnown(scenario, seed, run) : { scenario: scenario.name, skipped });
  }
  const journals = rows.flatMap((row) => ('journal' in row ? [row.journal] : []));
  return { journals, rows, verdict: worstOf(journals.map(({ verdict }) => verdict)) };
}

async function runUntilKnown(
  scenario: Scenario,
  seed: number,
  run: (scenario: Scenario, seed: number) => Promise<Journal>,
): Promise<RanRow> {
  const startUs = monotonicUs();
  for (let tries = 1; ; tries++) {
    const journal = await run(scenario, seed + tries - 1);
    if (journal.verdict !== 'unknown' || tries === triesMax)
      return { scenario: scenario.name, journal, tries, tookMs: (monotonicUs() - startUs) / 1000 };
  }
}
