// Order statistics, for statements about a quantile that do not assume a distribution.

/** The q-quantile of sorted values by nearest rank; NaN of none. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number;
}

/** Of a latency, which is a difference: without what floating point adds to the microseconds in which times are told. */
export function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

export interface QuantileBounds {
  readonly lower: number;
  readonly estimate: number;
  readonly upper: number;
}

/**
 * One-sided 95 % confidence bounds of the q-quantile, from sorted values. The number of values below the true quantile
 * is binomial(n, q), here by its normal approximation (Conover, Practical Nonparametric Statistics, §3.2). Where the
 * sample has no such order statistic the bound is infinite. `effect`: the design effect of values that come in clusters.
 */
export function quantileBounds(sorted: readonly number[], q: number, effect = 1): QuantileBounds {
  const n = sorted.length;
  const spread = 1.645 * Math.sqrt(n * q * (1 - q) * effect);
  const lowerRank = Math.floor(n * q - spread); // 1-based
  const upperRank = Math.ceil(n * q + spread) + 1;
  return {
    lower: lowerRank >= 1 ? (sorted[lowerRank - 1] as number) : Number.NEGATIVE_INFINITY,
    estimate: quantile(sorted, q),
    upper: upperRank <= n ? (sorted[upperRank - 1] as number) : Number.POSITIVE_INFINITY,
  };
}

/**
 * How many times the variance of a share is what it were if its cases were independent, because they come in clusters; at
 * least 1 (Kish, Survey Sampling, §5.4). `clusters`: of each, how many it has and how many of them are cases.
 */
export function designEffect(clusters: readonly { readonly count: number; readonly cases: number }[]): number {
  const count = clusters.reduce((sum, cluster) => sum + cluster.count, 0);
  const share = clusters.reduce((sum, { cases }) => sum + cases, 0) / count;
  const variance = clusters.reduce((sum, it) => sum + (it.cases - share * it.count) ** 2, 0);
  const independent = count * share * (1 - share);
  return independent > 0 ? Math.max(1, variance / independent) : 1;
}

export function ascending(values: Iterable<number>): number[] {
  return [...Float64Array.from(values).sort()];
}
