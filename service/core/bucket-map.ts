// Buckets by key, each kept as the instant at which it is full again, and forgotten some time after it is: a full bucket
// is the same as none. A hand that goes round and looks at two of them at each visit keeps the memory to what is in use.
//
//   key ─ hash ─▶ part ─▶ place ─▶ instant
//
// Written with nearly every take, it must leave nothing behind for the garbage collector. So the instants stand in an
// array of their own, where a number is not an object, and a full bucket stays for a while, since most keys come again:
// after some deletions V8's Map moves to a new table, and its old ones, dead, hold each the next until a full collection.
// And it must never pause, however many keys there are: so they are divided among parts that stay small.

import { BucketPart } from './bucket-part.ts';
import { hashOf } from './hash.ts';

/** How many buckets one sweep looks at: more than one visit can add. */
const sweptPerVisit = 2;
/** How long a full bucket stays while there is room. Microseconds. */
const lingerUs = 1_000_000;
/** Of a part, when as many keys are here as may be. Some parts have a tenth more. */
const keysPerPart = 1024;

export class BucketMap {
  readonly #roomySize: number;
  /** A power of two of them. */
  readonly #parts: readonly BucketPart[];
  readonly #partBits: number;
  #size = 0;
  /** The part that is swept now. */
  #hand = 0;

  /** `keysMax`: how many buckets its owner puts in at the most; with less than half of them here, there is room. */
  constructor(keysMax: number) {
    this.#roomySize = keysMax / 2;
    this.#partBits = Math.max(0, Math.ceil(Math.log2(keysMax / keysPerPart)));
    this.#parts = Array.from({ length: 2 ** this.#partBits }, () => new BucketPart());
  }

  get size(): number {
    return this.#size;
  }

  /** The key's place: of use until it is forgotten, which `set` finds out. Undefined for a key that is not here. */
  placeOf(key: string): number | undefined {
    const part = this.#partOf(key);
    const place = (this.#parts[part] as BucketPart).placeOf(key);
    return place === undefined ? undefined : place * this.#parts.length + part;
  }

  /** When the bucket at a place of `placeOf` is or was full again, in microseconds. */
  at(place: number): number {
    const part = place & (this.#parts.length - 1);
    return (this.#parts[part] as BucketPart).at(place >>> this.#partBits);
  }

  /** When the key's bucket is or was full again, in microseconds; undefined for a key that is not here. */
  get(key: string): number | undefined {
    const place = this.placeOf(key);
    return place === undefined ? undefined : this.at(place);
  }

  /** `place`: what `placeOf` told of the key some time ago; spares looking for it. */
  set(key: string, fullAtUs: number, place?: number): void {
    if (place !== undefined && this.#setAt(place, key, fullAtUs)) return;
    const part = this.#parts[this.#partOf(key)] as BucketPart;
    this.#size -= part.size;
    part.set(key, fullAtUs);
    this.#size += part.size;
  }

  delete(key: string): void {
    const part = this.#parts[this.#partOf(key)] as BucketPart;
    this.#size -= part.size;
    part.delete(key);
    this.#size += part.size;
  }

  clear(): void {
    for (const part of this.#parts) part.clear();
    this.#size = 0;
    this.#hand = 0;
  }

  /** Makes room for the key: forgets the one that has been here for longest of those in its part, or near it. */
  deleteOldestFor(key: string): void {
    if (this.#size === 0) return;
    for (let part = this.#partOf(key); ; part = (part + 1) & (this.#parts.length - 1)) {
      if (!(this.#parts[part] as BucketPart).deleteOldest()) continue;
      this.#size--;
      return;
    }
  }

  /** Moves the hand that goes round the buckets by a few, and drops those that have been full for long enough at `nowUs`. */
  sweep(nowUs: number): void {
    for (let i = 0; i < sweptPerVisit; i++) {
      const untilUs = this.#size < this.#roomySize ? nowUs - lingerUs : nowUs;
      const part = this.#parts[this.#hand] as BucketPart;
      const before = part.size;
      if (part.sweepOne(untilUs)) this.#size -= before - part.size;
      else if (++this.#hand >= this.#parts.length) {
        this.#hand = 0;
        return;
      }
    }
  }

  #setAt(place: number, key: string, fullAtUs: number): boolean {
    const part = this.#parts[place & (this.#parts.length - 1)] as BucketPart;
    if (!part.holds(key, place >>> this.#partBits)) return false;
    part.setAt(place >>> this.#partBits, fullAtUs);
    return true;
  }

  #partOf(key: string): number {
    // The upper bits of a multiple: a cluster's shard has only keys whose hashes share their lower ones.
    return this.#partBits === 0 ? 0 : Math.imul(hashOf(key), 0x9e3779b1) >>> (32 - this.#partBits);
  }
}
