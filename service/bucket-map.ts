// Buckets by key, each kept as the instant at which it is full again, and forgotten once it is: a full bucket is the same
// as none. Two slow hands' worth of work at each visit keep the memory to what is in use.

/** How many buckets one sweep looks at: more than one visit can add. */
const sweptPerVisit = 2;

export class BucketMap {
  /** In the order in which keys were first put in. Microseconds. */
  readonly #fullAtUs = new Map<string, number>();
  #hand: IterableIterator<[string, number]> | undefined;

  get size(): number {
    return this.#fullAtUs.size;
  }

  /** When the key's bucket is full again, in microseconds; undefined for a key that is not here. */
  get(key: string): number | undefined {
    return this.#fullAtUs.get(key);
  }

  set(key: string, fullAtUs: number): void {
    this.#fullAtUs.set(key, fullAtUs);
  }

  delete(key: string): void {
    this.#fullAtUs.delete(key);
  }

  clear(): void {
    this.#fullAtUs.clear();
    this.#hand = undefined;
  }

  /** Forgets the key that has been here for longest. */
  deleteOldest(): void {
    for (const key of this.#fullAtUs.keys()) {
      this.#fullAtUs.delete(key);
      return;
    }
  }

  /** Moves the hand that goes round the buckets by a few, and drops those that are full at `nowUs`. */
  sweep(nowUs: number): void {
    for (let i = 0; i < sweptPerVisit && this.#fullAtUs.size > 0; i++) {
      this.#hand ??= this.#fullAtUs.entries();
      const next = this.#hand.next();
      if (next.done) {
        this.#hand = undefined;
        return;
      }
      const [key, fullAtUs] = next.value;
      if (fullAtUs <= nowUs) this.#fullAtUs.delete(key);
    }
  }
}
