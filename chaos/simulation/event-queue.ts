// What is still to happen, the next first: a binary heap by instant, phase, and the order in which it was put in.

interface Entry<T> {
  readonly atUs: number;
  readonly phase: number;
  readonly order: number;
  readonly thing: T;
}

export class EventQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  /** When the next one is due, in microseconds; `Infinity` when there is none. */
  get dueUs(): number {
    return this.#heap[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  /** Of those at one instant, the one of a lower phase comes first. */
  put(atUs: number, phase: number, thing: T): void {
    const entry = { atUs, phase, order: this.#order++, thing };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry<T>;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Removes the next one; undefined when there is none. */
  take(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.thing;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child++;
      const below = heap[child] as Entry<T>;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first.thing;
  }
}

function isBefore<T>(one: Entry<T>, other: Entry<T>): boolean {
  if (one.atUs !== other.atUs) return one.atUs < other.atUs;
  if (one.phase !== other.phase) return one.phase < other.phase;
  return one.order < other.order;
}
