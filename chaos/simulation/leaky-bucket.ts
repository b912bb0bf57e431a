// What was taken of one bucket beyond what has refilled since: the leaky bucket, which is the token bucket upside down.
// Whatever the window Δ, at most capacity + refill · Δ were taken in it exactly if the level never rose above the capacity.

export class LeakyBucket {
  /** Tokens. */
  level = 0;
  /** Refill that had come by then, in tokens. */
  #at: number;

  /** `refilled`: tokens of refill since the beginning. */
  constructor(refilled: number) {
    this.#at = refilled;
  }

  levelAt(refilled: number): number {
    return Math.max(0, this.level - (refilled - this.#at));
  }

  /** Returns the level after it. */
  take(refilled: number): number {
    this.level = this.levelAt(refilled) + 1;
    this.#at = refilled;
    return this.level;
  }

  fill(level: number, refilled: number): void {
    this.level = level;
    this.#at = refilled;
  }
}
