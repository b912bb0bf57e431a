// redis-cell's arithmetic, and answers that it gives: for comparison with the door of Redis clients. Of the vectors, the
// first fifteen are the cases of its own tests, and the next are those of its README and of its end-to-end test.

/** Seconds, rounded up from whole milliseconds. */
const secondsOf = (ns: number) => Math.trunc(ns / 1e9) + (Math.trunc((ns % 1e9) / 1e6) > 0 ? 1 : 0);

/** The generic cell rate algorithm as redis-cell has it, in nanoseconds. */
export class RedisCell {
  /** When the next one would come by the rate, by key. */
  readonly #arrivals = new Map<string, number>();

  throttle(atMs: number, key: string, burst: number, count: number, period: number, quantity = 1): number[] {
    const now = atMs * 1e6;
    const interval = Math.trunc((period * 1e9) / count);
    const tolerance = interval * (burst + 1);
    const arrival = Math.max(this.#arrivals.get(key) ?? now, now);
    const next = arrival + interval * quantity;
    const isLimited = next - tolerance > now;
    const wait = isLimited && interval * quantity <= tolerance ? secondsOf(next - tolerance - now) : -1;
    const left = (isLimited ? arrival : next) - now;
    if (!isLimited) this.#arrivals.set(key, next);
    const remaining = tolerance - left > -interval ? Math.trunc((tolerance - left) / interval) : 0;
    return [isLimited ? 1 : 0, burst + 1, remaining, wait, secondsOf(left)];
  }
}

/** When, since the first; what follows the name of the command; the five integers. */
export type Vector = readonly [atMs: number, text: string, answer: readonly number[]];

/** Those of one key stand in the order of time. */
export const vectors: readonly Vector[] = [
  [0, 'foo 4 1 1 6', [1, 5, 5, -1, 0]],
  [0, 'foo 4 1 1 1', [0, 5, 4, -1, 1]],
  [0, 'foo 4 1 1 1', [0, 5, 3, -1, 2]],
  [0, 'foo 4 1 1 1', [0, 5, 2, -1, 3]],
  [0, 'foo 4 1 1 1', [0, 5, 1, -1, 4]],
  [0, 'foo 4 1 1 1', [0, 5, 0, -1, 5]],
  [0, 'foo 4 1 1 1', [1, 5, 0, 1, 5]],
  [3000, 'foo 4 1 1 1', [0, 5, 2, -1, 3]],
  [3100, 'foo 4 1 1 1', [0, 5, 1, -1, 4]],
  [4000, 'foo 4 1 1 1', [0, 5, 1, -1, 4]],
  [8000, 'foo 4 1 1 1', [0, 5, 4, -1, 1]],
  [9500, 'foo 4 1 1 1', [0, 5, 4, -1, 1]],
  [9500, 'foo 4 1 1 0', [0, 5, 4, -1, 1]],
  [9500, 'foo 4 1 1 2', [0, 5, 2, -1, 3]],
  [9500, 'foo 4 1 1 5', [1, 5, 2, 3, 3]],
  [0, 'user123 15 30 60', [0, 16, 15, -1, 2]],
  [0, 'e2e 0 1 2 1', [0, 1, 0, -1, 2]],
  [0, 'e2e 0 1 2 1', [1, 1, 0, 2, 2]],
  [2000, 'e2e 0 1 2 1', [0, 1, 0, -1, 2]],
  [0, 'user123-read-rate 15 30 60', [0, 16, 15, -1, 2]],
  [0, 'user123-write-rate 5 10 60', [0, 6, 5, -1, 6]],
  [0, 'whole 9 1 3600 10', [0, 10, 0, -1, 36000]],
  [0, 'whole 9 1 3600 1', [1, 10, 0, 3600, 36000]],
  [0, 'whole 9 1 3600 10', [1, 10, 0, 36000, 36000]],
  [0, 'whole 9 1 3600 11', [1, 10, 0, -1, 36000]],
  [0, 'whole 9 1 3600 0', [0, 10, 0, -1, 36000]],
  [0, 'look 2 1 3600 0', [0, 3, 3, -1, 0]],
  [0, 'look 2 1 3600 1', [0, 3, 2, -1, 3600]],
  [0, 'look 2 1 3600 0', [0, 3, 2, -1, 3600]],
  [0, 'look 2 1 3600 2', [0, 3, 0, -1, 10800]],
  [0, 'look 2 1 3600 0', [0, 3, 0, -1, 10800]],
  [0, 'look 2 1 3600', [1, 3, 0, 3600, 10800]],
  [0, 'zero 0 1 3600', [0, 1, 0, -1, 3600]],
  [0, 'zero 0 1 3600', [1, 1, 0, 3600, 3600]],
  [0, 'zero 0 1 3600 0', [0, 1, 0, -1, 3600]],
  [0, 'zero 0 1 3600 2', [1, 1, 0, -1, 3600]],
  [0, 'burst 4 1 3600 3', [0, 5, 2, -1, 10800]],
  [0, 'burst 9 1 3600 1', [0, 10, 6, -1, 14400]],
  [0, 'burst 9 1 3600 6', [0, 10, 0, -1, 36000]],
  [0, 'burst 19 1 3600 1', [0, 20, 9, -1, 39600]],
  [0, 'rate 9 6 3600 4', [0, 10, 6, -1, 2400]],
  [0, 'rate 9 1 600 1', [0, 10, 5, -1, 3000]],
  [0, 'rate 9 2 1200 5', [0, 10, 0, -1, 6000]],
  [0, 'rate 9 60 36000 1', [1, 10, 0, 600, 6000]],
  [0, 'half 0 2 1', [0, 1, 0, -1, 1]],
  [1, 'half 0 2 1', [1, 1, 0, 1, 1]],
  [499, 'half 0 2 1', [1, 1, 0, 1, 1]],
  [500, 'half 0 2 1', [0, 1, 0, -1, 1]],
  [1100, 'half 0 2 1', [0, 1, 0, -1, 1]],
  [1599, 'half 0 2 1 0', [0, 1, 0, -1, 1]],
  [1600, 'half 0 2 1 0', [0, 1, 1, -1, 0]],
  [0, 'third 2 3 1 3', [0, 3, 0, -1, 1]],
  [300, 'third 2 3 1', [1, 3, 0, 1, 1]],
  [334, 'third 2 3 1', [0, 3, 0, -1, 1]],
  [334, 'third 2 3 1 0', [0, 3, 0, -1, 1]],
  [5000, 'third 2 3 1 0', [0, 3, 3, -1, 0]],
  [0, 'fast 999 1000 1 1000', [0, 1000, 0, -1, 1]],
  [0, 'fast 999 1000 1', [1, 1000, 0, 1, 1]],
  [1, 'fast 999 1000 1', [0, 1000, 0, -1, 1]],
  [1, 'fast 999 1000 1 500', [1, 1000, 0, 1, 1]],
  [500, 'fast 999 1000 1 0', [0, 1000, 499, -1, 1]],
  [0, 'day 99 100 86400 100', [0, 100, 0, -1, 86400]],
  [0, 'day 99 100 86400', [1, 100, 0, 864, 86400]],
  [863999, 'day 99 100 86400', [1, 100, 0, 1, 85537]],
  [864000, 'day 99 100 86400', [0, 100, 0, -1, 86400]],
  [86400000, 'day 99 100 86400 0', [0, 100, 99, -1, 864]],
  [0, 'large 999999 1000000 3600 999999', [0, 1000000, 1, -1, 3600]],
  [0, 'large 999999 1000000 3600 2', [1, 1000000, 1, 1, 3600]],
  [0, 'large 999999 1000000 3600 1', [0, 1000000, 0, -1, 3600]],
  [0, 'large 999999 1000000 3600 9999999999', [1, 1000000, 0, -1, 3600]],
];
