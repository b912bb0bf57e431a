// For each start of a window a value, of which the greatest is wanted while whole ranges of them change: a segment tree
// whose nodes keep what was added to all below them. O(log n) for each change.

export class BestStart {
  readonly #leaves: number;
  /** Of each node, counted from 1: the greatest value below it, with what was added to the node itself. */
  readonly #max: Float64Array;
  readonly #added: Float64Array;

  constructor(count: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, count)));
    this.#max = new Float64Array(2 * this.#leaves).fill(Number.NEGATIVE_INFINITY);
    this.#added = new Float64Array(2 * this.#leaves);
  }

  /** From now on it counts, with a value of 0. Starts begin in order, and none is added to before it has begun. */
  begin(start: number): void {
    let node = this.#leaves + start;
    this.#max[node] = 0;
    for (node >>= 1; node > 0; node >>= 1) this.#gather(node);
  }

  /** Adds to the values of these starts, both included. */
  add(from: number, to: number, value: number): void {
    let [left, right] = [this.#leaves + from, this.#leaves + to];
    const ends = [left >> 1, right >> 1];
    for (; left <= right; left >>= 1, right >>= 1) {
      if (left % 2 === 1) this.#addTo(left++, value);
      if (right % 2 === 0) this.#addTo(right--, value);
    }
    for (let node of ends) for (; node > 0; node >>= 1) this.#gather(node);
  }

  /** The first of those with the greatest value. */
  best(): { readonly start: number; readonly value: number } {
    let node = 1;
    while (node < this.#leaves) node = this.#of(2 * node) >= this.#of(2 * node + 1) ? 2 * node : 2 * node + 1;
    return { start: node - this.#leaves, value: this.#of(1) };
  }

  #addTo(node: number, value: number): void {
    this.#max[node] = this.#of(node) + value;
    this.#added[node] = (this.#added[node] as number) + value;
  }

  #gather(node: number): void {
    this.#max[node] = Math.max(this.#of(2 * node), this.#of(2 * node + 1)) + (this.#added[node] as number);
  }

  #of(node: number): number {
    return this.#max[node] as number;
  }
}
