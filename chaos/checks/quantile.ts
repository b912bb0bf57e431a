// Order statistics, for statements about a quantile that do not assume a distribution.

/** The q-quantile of sorted values by nearest rank; NaN of none. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number;
}

export interface QuantileBounds {
  readonly lower: number;
  readonly estimate: number;
  readonly upper: number;
}

/**
 * One-sided 95 % confidence bounds of the q-quantile, from sorted values. The number of values below the true quantile
 * is binomial(n, q), here by its normal approximation (Conover, Practical Nonparametric Statistics, §3.2). Where the
 * sample has no such order statistic the bound is infinite.
 */
export function quantileBounds(sorted: readonly number[], q: number): QuantileBounds {
  const n = sorted.length;
  const spread = 1.645 * Math.sqrt(n * q * (1 - q));
  const lowerRank = Math.floor(n * q - spread); // 1-based
  const upperRank = Math.ceil(n * q + spread) + 1;
  return {
    lower: lowerRank >= 1 ? (sorted[lowerRank - 1] as number) : Number.NEGATIVE_INFINITY,
    estimate: quantile(sorted, q),
    upper: upperRank <= n ? (sorted[upperRank - 1] as number) : Number.POSITIVE_INFINITY,
  };
}

export function ascending(values: Iterable<number>): number[] {
  return [...Float64Array.from(values).sort()];
}
