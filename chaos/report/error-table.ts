// The requests of a run that nobody decided, by phase and kind: the same table in the report and in summary.md. Those that a
// fault excuses are among them.

import { failureKinds } from '../failure.ts';
import { grouped } from './figures.ts';
import type { Journal } from './journal.ts';

export interface ErrorTable {
  readonly head: readonly string[];
  /** A row for each phase that has any. */
  readonly rows: readonly (readonly string[])[];
}

/** Undefined where each request was decided. */
export function errorTableOf({ phases }: Pick<Journal, 'phases'>): ErrorTable | undefined {
  const all = Object.entries(phases).filter(([, { errors }]) => Object.keys(errors).length > 0);
  const kinds = failureKinds.filter((kind) => all.some(([, { errors }]) => errors[kind] !== undefined));
  if (all.length === 0) return undefined;
  const rows = all.map(([name, { errors }]) => [name, ...kinds.map((kind) => grouped(errors[kind] ?? 0))]);
  return { head: ['phase', ...kinds], rows };
}
