// Lists in ascending order, searched by halving: a run of an hour, or a fleet of thousands, is not looked through as a whole
// for each of its parts.

/** How many come before the value; with `orEqual` those at the value, too. */
export function countBelow<T>(
  ascending: ArrayLike<T>,
  value: number,
  numberOf: (item: T) => number,
  orEqual = false,
): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const number = numberOf(ascending[middle] as T);
    if (number < value || (orEqual && number === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number of an item that is one. */
export const itself = (number: number): number => number;

/** Counts the stretches of time that have a part within another, both ends included. Each ends no sooner than it begins. */
export class Overlaps {
  readonly #fromMs: Float64Array;
  readonly #toMs: Float64Array;

  constructor(stretches: readonly (readonly [fromMs: number, toMs: number])[]) {
    this.#fromMs = Float64Array.from(stretches, ([fromMs]) => fromMs).sort();
    this.#toMs = Float64Array.from(stretches, ([, toMs]) => toMs).sort();
  }

  count(fromMs: number, toMs: number): number {
    return countBelow(this.#fromMs, toMs, itself, true) - countBelow(this.#toMs, fromMs, itself);
  }
}
