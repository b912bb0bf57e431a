// The wait before a connection is tried again. It starts anew only after a connection that was of use for a while: one
// that breaks as soon as it is made is a failed attempt, or it would be made anew forty times a second.

import { retryMs } from './options.ts';

/** A connection that was of use for so long is not held against the next. */
const settledMs = 1000;

export class Backoff {
  readonly #instances: () => number | undefined;
  #attempts = 0;
  #beganAtMs: number | undefined;

  /** `instances`: how many connect to the same Redis; undefined while nobody knows. */
  constructor(instances: () => number | undefined) {
    this.#instances = instances;
  }

  /** Milliseconds until the next attempt. */
  nextMs(): number {
    return retryMs(++this.#attempts, this.#instances());
  }

  /** The connection answers as it should. */
  began(): void {
    this.#beganAtMs = performance.now();
  }

  /** The connection has ended. */
  ended(): void {
    if (this.#beganAtMs !== undefined && performance.now() - this.#beganAtMs >= settledMs) this.#attempts = 0;
    this.#beganAtMs = undefined;
  }
}
