// Buckets by key, each kept as the instant at which it is full again, and forgotten some time after it is: a full bucket
// is the same as none. A hand that goes round and looks at two of them at each visit keeps the memory to what is in use.
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
  /** Microseconds, at each place that is taken. */
  #fullAtUs = new Float64Array(placesAtFirst);
  /** Whose place it is; undefined where it is free. */
  readonly #keys: (string | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  /** The place that is looked at next. */
  #hand = 0;

  /** `keysMax`: how many buckets its owner puts in at the most; with less than half of them here, there is room. */
  constructor(keysMax: number) {
    this.#roomySize = keysMax / 2;
  }

  get size(): number {
    return this.#places.size;
  }

  /** The key's place: of use until it is forgotten, which `set` finds out. Undefined for a key that is not here. */
  placeOf(key: string): number | undefined {
    return this.#places.get(key);
  }

  /** When the bucket at a place of `placeOf` is or was full again, in microseconds. */
  at(place: number): number {
    return this.#fullAtUs[place] as number;
  }

  /** When the key's bucket is or was full again, in microseconds; undefined for a key that is not here. */
  get(key: string): number | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#fullAtUs[place];
  }

  /** `place`: what `placeOf` told of the key some time ago; spares looking for it. */
  set(key: string, fullAtUs: number, place?: number): void {
    const known = place !== undefined && this.#keys[place] === key ? place : this.#places.get(key);
    this.#fullAtUs[known ?? this.#placeFor(key)] = fullAtUs;
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

  /** Forgets the key that has been here for longest. */
  deleteOldest(): void {
    for (const key of this.#places.keys()) {
      this.delete(key);
      return;
    }
  }

  /** Moves the hand that goes round the buckets by a few, and drops those that have been full for long enough at `nowUs`. */
  sweep(nowUs: number): void {
    for (let i = 0; i < sweptPerVisit; i++) {
      if (this.#hand >= this.#keys.length) {
        this.#hand = 0;
        return;
      }
      const place = this.#hand++;
      const staysUs = this.size < this.#roomySize ? lingerUs : 0;
      const key = this.#keys[place];
      if (key !== undefined && (this.#fullAtUs[place] as number) + staysUs <= nowUs) this.delete(key);
    }
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
