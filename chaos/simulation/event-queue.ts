// What is still to happen, the next first: a heap by instant, phase, and the order in which it was put in. What it is
// sorted by stands in arrays of numbers of its own, for a heap of objects is mostly waiting for memory.

/** Of those at one instant, one of a lower phase comes first: it is far larger than any count of things put in. */
const phaseStep = 2 ** 50;
/** Children of one place: more of them make a flatter heap, and they lie side by side. */
const fan = 4;

export class EventQueue<T> {
  #atUs = new Float64Array(1024);
  #ranks = new Float64Array(1024);
  readonly #things: T[] = [];
  #order = 0;

  /** When the next one is due, in microseconds; `Infinity` when there is none. */
  get dueUs(): number {
    return this.#things.length > 0 ? (this.#atUs[0] as number) : Number.POSITIVE_INFINITY;
  }

  /** `phase`: 0, 1 or 2. */
  put(atUs: number, phase: number, thing: T): void {
    const things = this.#things;
    let at = things.length;
    if (at === this.#atUs.length) this.#grow();
    const instants = this.#atUs;
    const ranks = this.#ranks;
    const rank = phase * phaseStep + this.#order++;
    things.push(thing);
    while (at > 0) {
      const parent = Math.floor((at - 1) / fan);
      const parentUs = instants[parent] as number;
      if (parentUs < atUs || (parentUs === atUs && (ranks[parent] as number) < rank)) break;
      instants[at] = parentUs;
      ranks[at] = ranks[parent] as number;
      things[at] = things[parent] as T;
      at = parent;
    }
    instants[at] = atUs;
    ranks[at] = rank;
    things[at] = thing;
  }

  /** Removes the next one; undefined when there is none. */
  take(): T | undefined {
    const things = this.#things;
    const first = things[0];
    const last = things.pop();
    const size = things.length;
    if (last === undefined || size === 0) return first;
    const instants = this.#atUs;
    const ranks = this.#ranks;
    const lastUs = instants[size] as number;
    const lastRank = ranks[size] as number;
    let at = 0;
    for (let child = 1; child < size; child = fan * at + 1) {
      let next = child;
      let nextUs = instants[child] as number;
      const end = Math.min(child + fan, size);
      for (let other = child + 1; other < end; other++) {
        const otherUs = instants[other] as number;
        if (otherUs > nextUs || (otherUs === nextUs && (ranks[other] as number) > (ranks[next] as number))) continue;
        next = other;
        nextUs = otherUs;
      }
      if (nextUs > lastUs || (nextUs === lastUs && (ranks[next] as number) > lastRank)) break;
      instants[at] = nextUs;
      ranks[at] = ranks[next] as number;
      things[at] = things[next] as T;
      at = next;
    }
    instants[at] = lastUs;
    ranks[at] = lastRank;
    things[at] = last;
    return first;
  }

  #grow(): void {
    this.#atUs = twiceAsLong(this.#atUs);
    this.#ranks = twiceAsLong(this.#ranks);
  }
}

function twiceAsLong(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}
