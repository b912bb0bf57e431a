// The suite: every scenario that the driver can run, one after another. A verdict that the machine was too noisy for is
// tried again, and marked; one that failed never is. It is tried after all others: what makes a shared machine noisy
// often lasts for minutes. Where the lab itself broke, that is told in place of a verdict, and the others are run.

import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import { monotonicUs } from '../chaos/clock.ts';
import { explained, UsageError } from '../chaos/errors.ts';
import { oneLine } from '../chaos/printable.ts';
import type { Journal } from '../chaos/report/journal.ts';
import type { Scenario } from '../chaos/scenario.ts';

const triesMax = 3;
/** Requests per second that leave a busy machine room, and have answers enough for the p99 of a phase of a second. */
const calmRate = 600;

export interface SuiteOutcome {
  /** Of the last try of each scenario that was run. */
  readonly journals: readonly Journal[];
  readonly rows: readonly SuiteRow[];
  readonly verdict: Verdict;
  /** What ended it before each scenario had its verdict. */
  readonly ended?: { readonly by: unknown; readonly notRun: number };
}

export interface RanRow {
  readonly scenario: string;
  /** Of the last try. */
  readonly journal: Journal;
  readonly tries: number;
  /** Requests per second of the last try. */
  readonly rate: number;
  /** Of all tries, with starting and ending the parts. */
  readonly tookMs: number;
}

export type SuiteRow =
  | RanRow
  | { readonly scenario: string; readonly skipped: string }
  | { readonly scenario: string; readonly broken: string };

type Run = (scenario: Scenario, options: SuiteOptions) => Promise<Journal>;

interface SuiteOptions {
  readonly seed: number;
  /** Requests per second. */
  readonly rate: number;
}

/**
 * `run` with a seed and a rate gives a journal; `refusal` tells why a scenario is left out. What was unknown is tried again
 * with the next seed and fewer requests; with as many where somebody gave the rate.
 */
export async function runSuite(
  scenarios: readonly Scenario[],
  asked: SuiteOptions & { readonly isRateGiven: boolean },
  run: Run,
  refusal: (scenario: Scenario) => string | undefined,
  signal: AbortSignal,
): Promise<SuiteOutcome> {
  const rows: SuiteRow[] = [];
  const outcome = () => {
    const journals = rows.flatMap((row) => ('journal' in row ? [row.journal] : []));
    return { journals, rows, verdict: worstOf(journals.map(({ verdict }) => verdict)) };
  };
  const once = (scenario: Scenario, before?: RanRow): Promise<SuiteRow> =>
    tryOnce(scenario, optionsOf(asked, before?.tries ?? 0), run, before).catch((error) => {
      if (signal.aborted || error instanceof UsageError) throw error; // there will be no other
      return { scenario: scenario.name, broken: oneLine(explained(error)) };
    });
  try {
    for (const scenario of scenarios) {
      const skipped = refusal(scenario);
      rows.push(skipped === undefined ? await once(scenario) : { scenario: scenario.name, skipped });
    }
    for (let tries = 2; tries <= triesMax; tries++)
      for (const [i, scenario] of scenarios.entries()) {
        const row = rows[i];
        if (row && 'journal' in row && row.journal.verdict === 'unknown') rows[i] = await once(scenario, row);
      }
    return outcome();
  } catch (by) {
    return { ...outcome(), ended: { by, notRun: scenarios.length - rows.length } };
  }
}

function optionsOf({ seed, rate, isRateGiven }: Parameters<typeof runSuite>[1], triesBefore: number): SuiteOptions {
  return { seed: seed + triesBefore, rate: triesBefore === 0 || isRateGiven ? rate : Math.min(rate, calmRate) };
}

async function tryOnce(scenario: Scenario, options: SuiteOptions, run: Run, before?: RanRow): Promise<RanRow> {
  const startUs = monotonicUs();
  const { tries, tookMs } = before ?? { tries: 0, tookMs: 0 };
  const journal = await run(scenario, options);
  return {
    scenario: scenario.name,
    journal,
    tries: tries + 1,
    rate: options.rate,
    tookMs: tookMs + (monotonicUs() - startUs) / 1000,
  };
}
