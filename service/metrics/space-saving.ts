// The most frequent of any number of keys, in memory for a fixed number of them: the Space-Saving sketch (Metwally,
// Agrawal, El Abbadi, 2005). A key that finds no room takes the place of the least counted, and its count along, which is
// the most that its own count may be too high.
//
//   places   0      1      2      3      4
//   counts   9      4      4      4      1        never rising: one more is a swap to the front of its block
//                   └── block ──┘

/** Places in a row that have one count. */
interface Block {
  count: number;
  first: number;
  last: number;
}

interface Place<Item> {
  key: string;
  item: Item;
  /** How many of its count others may have counted. */
  error: number;
  at: number;
  block: Block;
}

export interface Counted<Item> {
  readonly item: Item;
  /** So often at the most. */
  readonly count: number;
  /** By so much `count` is too high at the most. */
  readonly error: number;
}

export class SpaceSaving<Item> {
  readonly #keysMax: number;
  readonly #byKey = new Map<string, Place<Item>>();
  readonly #places: Place<Item>[] = [];

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  /** How often one that is not listed has been counted, at the most. */
  get unlistedMax(): number {
    return this.#places.length < this.#keysMax ? 0 : (this.#places.at(-1) as Place<Item>).block.count;
  }

  /** Counts the key once more, in constant time. `item`: what is told of it. */
  add(key: string, item: Item): void {
    this.#raise(this.#byKey.get(key) ?? this.#placeFor(key, item));
  }

  /** Most counted first. */
  all(): Counted<Item>[] {
    return this.#places.map(({ item, block: { count }, error }) => ({ item, count, error }));
  }

  /** A place for a key that has none: a new one, or that of the least counted. */
  #placeFor(key: string, item: Item): Place<Item> {
    const at = this.#places.length;
    const place =
      at < this.#keysMax
        ? { key, item, error: 0, at, block: { count: 0, first: at, last: at } }
        : (this.#places[at - 1] as Place<Item>);
    if (at < this.#keysMax) this.#places.push(place);
    else {
      this.#byKey.delete(place.key);
      place.key = key;
      place.item = item;
      place.error = place.block.count;
    }
    this.#byKey.set(key, place);
    return place;
  }

  /** Moves the place to the front of its block, and on to the block before if that has one more, or to a block of its own. */
  #raise(place: Place<Item>): void {
    const { block, at } = place;
    const front = this.#places[block.first] as Place<Item>;
    this.#places[at] = front;
    front.at = at;
    place.at = block.first;
    this.#places[place.at] = place;

    const count = block.count + 1;
    const before = this.#places[place.at - 1]?.block;
    if (before?.count === count) {
      block.first++;
      before.last++;
      place.block = before;
    } else if (block.first === block.last) block.count = count;
    else {
      block.first++;
      place.block = { count, first: place.at, last: place.at };
    }
  }
}
