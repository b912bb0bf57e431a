// What a fault keeps going between its injection and its heal, in the lab's own process. It ends with that process.

export class Lasting {
  readonly #inPlace = new WeakMap<object, Disposable | AsyncDisposable>();

  /** `on`: the environment, or the instance, that the fault is on. In place of what was begun on it before. */
  async begin(on: object, thing: Disposable | AsyncDisposable): Promise<void> {
    await this.end(on);
    this.#inPlace.set(on, thing);
  }

  /** Does nothing when nothing was begun. */
  async end(on: object): Promise<void> {
    await using _ended = this.#inPlace.get(on);
    this.#inPlace.delete(on);
  }
}
