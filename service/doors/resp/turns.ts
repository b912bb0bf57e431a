// Shares the time of the event loop among connections that have sent more than can be done at once: each gets a piece of
// work in turn, and all of them together a fixed part of each turn of the loop.

/** Of each turn of the event loop. */
const turnMsMax = 1;

export class Turns {
  /** Who waits, in the order in which they get a piece. */
  readonly #queue: (() => void)[] = [];
  #endsAtMs = 0;
  #turn: NodeJS.Immediate | undefined;

  /** This turn of the loop has time left. */
  get hasTime(): boolean {
    const nowMs = performance.now();
    if (this.#turn) return nowMs < this.#endsAtMs;
    this.#endsAtMs = nowMs + turnMsMax;
    this.#awaitNext();
    return true;
  }

  /** Does `piece` in a later turn. */
  wait(piece: () => void): void {
    this.#queue.push(piece);
    this.#awaitNext();
  }

  #awaitNext(): void {
    this.#turn ??= setImmediate(() => this.#take());
  }

  #take(): void {
    this.#turn = undefined;
    // Who comes again in this turn waits for the next one.
    for (let left = this.#queue.length; left > 0 && this.hasTime; left--) this.#queue.shift()?.();
    if (this.#queue.length > 0) this.#awaitNext();
  }
}
