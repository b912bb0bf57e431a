// The suite: every scenario that the driver can run, one after another. A verdict that the machine was too noisy for is
// tried again, and marked; one that failed never is.

import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import type { Journal } from '../chaos/report/journal.ts';
import { type PhaseName, phaseNames, type Scenario } from '../chaos/scenario.ts';

const triesMax = 3;

export interface SuiteOutcome {
  /** Of the last try of each scenario that was run. */
  readonly journals: readonly Journal[];
  readonly rows: readonly SuiteRow[];
  readonly verdict: Verdict;
}

export type SuiteRow =
  | { readonly scenario: string; readonly journal: Journal; readonly tries: number }
  | { readonly scenario: string; readonly skipped: string };

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
): Promise<SuiteRow> {
  for (let tries = 1; ; tries++) {
    const journal = await run(scenario, seed + tries - 1);
    if (journal.verdict !== 'unknown' || tries === triesMax) return { scenario: scenario.name, journal, tries };
  }
}

/** One line a scenario: its verdict, the p99 of each phase, and how far the worst of them stayed under its limit. */
export function suiteTable({ rows, verdict }: SuiteOutcome): string {
  const width = Math.max('scenario'.length, ...rows.map(({ scenario }) => scenario.length)) + 2;
  const line = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(width)}${cells.map((cell, i) => (i === 0 ? cell.padEnd(8) : cell.padStart(10))).join('')}`.trimEnd();
  const lines = [line('scenario', ['verdict', ...phaseNames, 'margin'])];
  for (const row of rows) {
    if ('skipped' in row) lines.push(line(row.scenario, [`skipped: ${row.skipped}`]));
    else lines.push(line(row.scenario, cellsOf(row.journal)) + triesText(row.tries));
  }
  const ran = rows.filter((row) => 'journal' in row);
  const passed = ran.filter(({ journal }) => journal.verdict === 'pass').length;
  lines.push('  p99 of each phase in ms from the scheduled send time; margin: ms left under the limit', '');
  lines.push(`${verdict.toUpperCase()} suite: ${passed} of ${ran.length} passed, ${rows.length - ran.length} skipped`);
  return lines.join('\n');
}

function cellsOf({ verdict, phases, checks }: Journal): string[] {
  const p99 = (phase: PhaseName) => phases[phase]?.latencyMs.p99?.toFixed(2) ?? '–';
  const margins = checks.flatMap(({ name, measured, limit }) =>
    name === 'latency' && measured !== null && limit !== null ? [limit - measured] : [],
  );
  return [verdict, ...phaseNames.map(p99), margins.length > 0 ? Math.min(...margins).toFixed(2) : '–'];
}

function triesText(tries: number): string {
  return tries === 1 ? '' : `  try ${tries}: unknown before`;
}
