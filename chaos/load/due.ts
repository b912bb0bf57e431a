// How many arrivals are due: one thread says it, the other looks. The one that looks is notified no more than once before it
// has looked, since a message for each arrival cost both a good part of what a request does.

const [count, notified] = [0, 1];

export class Due {
  readonly shared: Int32Array<SharedArrayBuffer>;

  constructor(shared = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))) {
    this.shared = shared;
  }

  /** @returns whether the other side has to be notified. */
  say(due: number): boolean {
    Atomics.store(this.shared, count, due);
    return Atomics.exchange(this.shared, notified, 1) === 0;
  }

  look(): number {
    Atomics.store(this.shared, notified, 0); // before it reads: what comes due in between is notified again
    return Atomics.load(this.shared, count);
  }
}
