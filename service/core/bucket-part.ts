// A part of a `BucketMap`: some thousand buckets at the most, so that nothing that it does takes long. V8's Map does take
// long now and then, in proportion to its size: it moves to a new table as it grows and after deletions, and to find its
// oldest key it steps over all that were deleted before it.

const placesAtFirst = 64;

export class BucketPart {
  /** Where each key's instant stands. In the order in which keys were first put in. */
  readonly #places = new Map<string, number>();
  /** Microseconds, at each place that is taken. */
  #fullAtUs = new Float64Array(placesAtFirst);
  /** Whose place it is; undefined where it is free. */
  readonly #keys: (string | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  /** The place that is looked at next. */
  #hand = 0;

  get size(): number {
    return this.#places.size;
  }

  /** The key's place; undefined for a key that is not here. */
  placeOf(key: string): number | undefined {
    return this.#places.get(key);
  }

  /** When the bucket at a place is or was full again, in microseconds. */
  at(place: number): number {
    return this.#fullAtUs[place] as number;
  }

  /** Whether it is the key's place, still. */
  holds(key: string, place: number): boolean {
    return this.#keys[place] === key;
  }

  setAt(place: number, fullAtUs: number): void {
    this.#fullAtUs[place] = fullAtUs;
  }

  set(key: string, fullAtUs: number): void {
    const place = this.#places.get(key) ?? this.#placeFor(key); // first: it may put a longer array in place
    this.#fullAtUs[place] = fullAtUs;
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#keys[place] = undefined;
    this.#freePlaces.push(place);
  }

  clear(): void {
    this.#places.clear();
    this.#keys.length = 0;
    this.#freePlaces.length = 0;
    this.#hand = 0;
  }

  /** Forgets the key that has been here for longest; false when there is none. */
  deleteOldest(): boolean {
    for (const key of this.#places.keys()) {
      this.delete(key);
      return true;
    }
    return false;
  }

  /** Looks at the next place and drops its bucket if it was full at `untilUs`; false at the end of a round. */
  sweepOne(untilUs: number): boolean {
    if (this.#hand >= this.#keys.length) {
      this.#hand = 0;
      return false;
    }
    const place = this.#hand++;
    const key = this.#keys[place];
    if (key !== undefined && (this.#fullAtUs[place] as number) <= untilUs) this.delete(key);
    return true;
  }

  /** A new place for a key that has none. */
  #placeFor(key: string): number {
    const place = this.#freePlaces.pop() ?? this.#keys.length;
    if (place >= this.#fullAtUs.length) {
      const longer = new Float64Array(2 * this.#fullAtUs.length);
      longer.set(this.#fullAtUs);
      this.#fullAtUs = longer;
    }
    this.#keys[place] = key;
    this.#places.set(key, place);
    return place;
  }
}
