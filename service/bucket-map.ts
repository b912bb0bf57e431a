// Buckets by key, each kept as the instant at which it is full again, and forgotten some time after it is: a full bucket
// is the same as none. Two slow hands' worth of work at each visit keep the memory to what is in use.
//
// Written with nearly every take, it must leave nothing behind for the garbage collector. So the instants stand in an
// array of their own, where a number is not an object, and a full bucket stays for a while, since most keys come again:
// after some deletions V8's Map moves to a new table, and its old ones, dead, hold each the next until a full collection.

/** How many buckets one sweep looks at: more than one visit can add. */
const sweptPerVisit = 2;
/** How long a full bucket stays while there is room. Microseconds. */
const lingerUs = 1_000_000;
const placesAtFirst = 1024;

export class BucketMap {
  readonly #roomySize: number;
  /** Where each key's instant stands. In the order in which keys were first put in. */
  readonly #places = new Map<string, number>();
  /** Microseconds. */
  #fullAtUs = new Float64Array(placesAtFirst);
  readonly #freePlaces: number[] = [];
  #hand: IterableIterator<[string, number]> | undefined;

  /** `keysMax`: how many buckets its owner puts in at the most; with less than half of them here, there is room. */
  constructor(keysMax: number) {
    this.#roomySize = keysMax / 2;
  }

  get size(): number {
    return this.#places.size;
  }

  /** When the key's bucket is or was full again, in microseconds; undefined for a key that is not here. */
  get(key: string): number | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#fullAtUs[place];
  }

  set(key: string, fullAtUs: number): void {
    const place = this.#places.get(key) ?? this.#placeFor(key);
    this.#fullAtUs[place] = fullAtUs;
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#freePlaces.push(place);
  }

  clear(): void {
    this.#places.clear();
    this.#freePlaces.length = 0;
    this.#hand = undefined;
  }

  /** Forgets the key that has been here for longest. */
  deleteOldest(): void {
    for (const key of this.#places.keys()) {
      this.delete(key);
      return;
    }
  }

  /** Moves the hand that goes round the buckets by a few, and drops those that have been full for long enough at `nowUs`. */
  sweep(nowUs: number): void {
    for (let i = 0; i < sweptPerVisit && this.size > 0; i++) {
      this.#hand ??= this.#places.entries();
      const next = this.#hand.next();
      if (next.done) {
        this.#hand = undefined;
        return;
      }
      const [key, place] = next.value;
      const staysUs = this.size < this.#roomySize ? lingerUs : 0;
      if ((this.#fullAtUs[place] as number) + staysUs <= nowUs) this.delete(key);
    }
  }

  /** Every place below the number of keys is taken or free, so when none is free the next is that number. */
  #placeFor(key: string): number {
    const place = this.#freePlaces.pop() ?? this.size;
    if (place >= this.#fullAtUs.length) {
      const longer = new Float64Array(2 * this.#fullAtUs.length);
      longer.set(this.#fullAtUs);
      this.#fullAtUs = longer;
    }
    this.#places.set(key, place);
    return place;
  }
}
