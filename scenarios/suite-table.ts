// What the suite prints in the end: one line a scenario, then which took longest, and which were closest to a limit of time,
// as a slower machine would break it first.

import { wrapped } from '../chaos/printable.ts';
import { fixed } from '../chaos/report/figures.ts';
import type { Journal } from '../chaos/report/journal.ts';
import { type PhaseName, phaseNames } from '../chaos/scenario.ts';
import type { RanRow, SuiteOutcome } from './suite.ts';

const namedMax = 3;
const lineMax = 80;
/** Of the verdict's, each phase's and the margin's column. */
const columns = [7, 9, 7, 7, 7, 10, 7] as const;

/** One line a scenario: its verdict, the p99 of each phase, and how far the worst of them stayed under its limit. */
export function suiteTable({ rows, verdict, ended }: SuiteOutcome): string {
  const width = Math.max('scenario'.length, ...rows.map(({ scenario }) => scenario.length)) + 2;
  const line = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(width)}${cells.map((cell, i) => (i === 0 ? cell.padEnd(columns[0]) : cell.padStart(columns[i] ?? 0))).join('')}`.trimEnd();
  const ran = rows.filter((row) => 'journal' in row);
  const lines = [line('scenario', ['verdict', ...phaseNames, 'margin'])];
  for (const row of rows) {
    if ('skipped' in row) lines.push(line(row.scenario, [`skipped: ${row.skipped}`]));
    else if ('broken' in row) lines.push(line(row.scenario, [`the lab broke: ${row.broken}`]));
    else lines.push(line(row.scenario, cellsOf(row.journal)) + triesText(row));
  }
  const passed = ran.filter(({ journal }) => journal.verdict === 'pass').length;
  lines.push('  p99 of each phase in ms, from the scheduled send time', '  margin: ms left under the limit', '');
  if (ran.length > 0) lines.push(...wrapped(`slowest: ${slowest(ran)}`, lineMax));
  if (ran.length > 0) lines.push('closest to a limit:', ...closest(ran).map((it) => `  ${it}`), '');
  const broken = rows.filter((row) => 'broken' in row).length;
  const word = ended ? 'ENDED' : broken > 0 ? 'BROKEN' : verdict.toUpperCase();
  const counts = [
    `${passed} of ${ran.length} passed`,
    `${rows.length - ran.length - broken} skipped`,
    ...(broken > 0 ? [`${broken} broken by the lab itself`] : []),
    ...(ended ? [`${ended.notRun} not run`] : []),
  ];
  lines.push(`${word} suite: ${counts.join(', ')}`);
  return lines.join('\n');
}

function cellsOf({ verdict, phases, checks }: Journal): string[] {
  const p99 = (phase: PhaseName) => msText(phases[phase]?.latencyMs.p99 ?? null);
  const margins = checks.flatMap(({ name, measured, limit }) =>
    name === 'latency' && measured !== null && limit !== null ? [limit - measured] : [],
  );
  return [verdict, ...phaseNames.map(p99), msText(margins.length > 0 ? Math.min(...margins) : null)];
}

/** Of six characters at most. */
function msText(ms: number | null): string {
  return ms === null ? '–' : fixed(ms, Math.abs(ms) < 100 ? 2 : 0);
}

function triesText({ tries, rate }: RanRow): string {
  return tries === 1 ? '' : `\n    try ${tries}, with ${rate} requests/s: unknown before`;
}

function slowest(rows: readonly RanRow[]): string {
  const longest = rows.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, namedMax);
  return longest.map(({ scenario, tookMs }) => `${scenario} ${(tookMs / 1000).toFixed(0)} s`).join(', ');
}

/** Of each scenario the check that used most of what it had; over 100 % it is beyond. */
function closest(rows: readonly RanRow[]): string[] {
  const used = rows.flatMap(({ scenario, journal }) => {
    const shares = journal.checks.flatMap(({ name, phase, unit, measured, limit }) =>
      unit.startsWith('ms') && measured !== null && limit
        ? [{ what: `${scenario} ${name} (${phase})`, share: measured / limit }]
        : [],
    );
    return shares.toSorted((a, b) => b.share - a.share).slice(0, 1);
  });
  const worst = used.toSorted((a, b) => b.share - a.share).slice(0, namedMax);
  return worst.length > 0
    ? worst.map(({ what, share }) => `${what} ${fixed(100 * share, 0)} %`)
    : ['nothing was measured'];
}
