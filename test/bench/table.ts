// Medians, ranges and ratios of the rounds, and the one table that shows them.

export interface Row {
  readonly name: string;
  /** One figure for each round. */
  readonly values: readonly number[];
  /** To the reference in the same round. */
  readonly ratios: readonly number[];
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

export function ratiosTo<T>(
  reference: string,
  figures: ReadonlyMap<string, readonly T[]>,
  value: (figure: T) => number,
): Row[] {
  const base = (figures.get(reference) ?? []).map(value);
  return [...figures].map(([name, rounds]) => {
    const values = rounds.map(value);
    return { name, values, ratios: values.map((it, i) => it / (base[i] ?? Number.NaN)) };
  });
}

/** Median (minimum–maximum) of figures and ratios, one line a contender. */
export function table(rows: readonly Row[], reference: string): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const line = ({ name, values, ratios }: Row) =>
    `  ${name.padEnd(width)}  ${spread(values, 0).padStart(22)}  ${spread(ratios, 2).padStart(18)}`;
  return [
    `  ${''.padEnd(width)}  ${'median (range)'.padStart(22)}  ${`to ${reference}`.padStart(18)}`,
    ...rows.map(line),
  ].join('\n');
}

/** The same of the figures of all rounds, under a title. */
export function titled<T>(
  title: string,
  reference: string,
  figures: ReadonlyMap<string, readonly T[]>,
  value: (figure: T) => number,
): string {
  return `\n${title}\n\n${table(ratiosTo(reference, figures, value), reference)}\n`;
}

function spread(values: readonly number[], digits: number): string {
  const [median, min, max] = [medianOf(values), Math.min(...values), Math.max(...values)];
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
