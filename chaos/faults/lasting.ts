// What a fault keeps going between its injection and its heal, in the lab's own process. It ends with that process.

import type { Environment } from '../environment.ts';

export class Lasting {
  readonly #inPlace = new WeakMap<Environment, Disposable | AsyncDisposable>();

  /** In place of what was begun before in the same environment. */
  async begin(environment: Environment, thing: Disposable | AsyncDisposable): Promise<void> {
    await this.end(environment);
    this.#inPlace.set(environment, thing);
  }

  /** Does nothing when nothing was begun. */
  async end(environment: Environment): Promise<void> {
    await using _ended = this.#inPlace.get(environment);
    this.#inPlace.delete(environment);
  }
}
