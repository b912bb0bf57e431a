// An arena's figures as text: the same in Markdown and on the page.

import { figure } from '../report/figures.ts';
import { phaseNames } from '../scenario.ts';
import type { Arena, Entry, Judged } from './arena.ts';

export const columns = [
  'limiter',
  'verdict',
  ...phaseNames.map((phase) => `p99 ${phase}`),
  'worst p99 of the control',
  'lost',
  'refused %',
  'of the control %',
  'excess',
  'recovery ms',
  'decided by',
] as const;

/** What the columns mean, a sentence each. */
export const legend: readonly string[] = [
  'p99 in ms, from the scheduled send time; ∞ where more than 1 % had no answer. The promise is under 9 ms in every phase.',
  'The control is an instance of the same limiter that no fault reaches: what it shows is the machine.',
  'lost: requests that nobody decided, for want of an answer or of one that allows or denies.',
  'refused: requests denied while the fault lasted, and by the control, which keeps its store.',
  'excess: tokens that one key was given beyond the bound, at the worst.',
  'recovery: from the heal until the store decides again; – where the limiter does not say who decides.',
  'unknown: the machine was too noisy for a verdict, or the run too short.',
];

/** One for each entry of the scenario, in the columns' order. */
export function rowsOf(arena: Arena, scenario: string): string[][] {
  return arena.entries.filter((entry) => entry.scenario === scenario).map(cellsOf);
}

function cellsOf(entry: Entry): string[] {
  if ('error' in entry) return [entry.target, 'none', ...columns.slice(3).map(() => '–'), entry.error];
  const { target, verdict, p99Ms, lost, refusedShare, controlRefusedShare, excess, recoveryMs, decisive } = entry;
  return [
    target,
    verdict,
    ...phaseNames.map((phase) => figure(p99Ms[phase] ?? null)),
    ...[worst(entry.controlP99Ms), lost, refusedShare, controlRefusedShare, excess, recoveryMs].map(figure),
    decisive.join(', '),
  ];
}

function worst(p99Ms: Judged['p99Ms']): number | null {
  const known = Object.values(p99Ms).filter((ms) => ms !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** What one cell of the overview says: verdict and worst p99. */
export function glance(entry: Entry | undefined): string {
  if (entry === undefined) return '–';
  return 'error' in entry ? 'no verdict' : `${entry.verdict}, ${figure(worst(entry.p99Ms))} ms`;
}

export function entryFor({ entries }: Arena, target: string, scenario: string): Entry | undefined {
  return entries.find((entry) => entry.target === target && entry.scenario === scenario);
}

/** When, where and under which load, in one sentence. */
export function conditions({ startedAt, driver, seed, rate, environment }: Arena): string {
  const { cpu = 'an unknown processor', ...programs } = environment;
  const versions = Object.entries(programs).map(([name, version]) => `${name} ${version}`);
  return `${startedAt.slice(0, 10)}, ${cpu}, ${versions.join(', ')}; ${driver} driver, ${rate} requests/s, seed ${seed}.`;
}
