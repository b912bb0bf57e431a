// Gathers the takes of one event-loop turn and sends them as one call.
//
//   poll phase:  request, request, request …      each calls take()
//   check phase: flush ──▶ store.takeMany([…])    once; a lone request waits for nothing but the end of its turn

import { type Decision, type Store, StoreError, type Take } from './store.ts';

interface Waiting {
  readonly take: Take;
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: StoreError) => void;
}

export class Batcher {
  readonly #store: Store;
  readonly #sizeMax: number;
  #waiting: Waiting[] = [];

  /** `sizeMax`: takes in one call at the most, so that one script never holds Redis for long. */
  constructor(store: Store, sizeMax: number) {
    this.#store = store;
    this.#sizeMax = sizeMax;
  }

  /** Rejects with a `StoreError` when the take could not be decided. */
  take(take: Take): Promise<Decision> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ take, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += this.#sizeMax)
      this.#send(waiting.slice(from, from + this.#sizeMax));
  }

  #send(batch: readonly Waiting[]): void {
    this.#store.takeMany(batch.map(({ take }) => take)).then(
      (outcomes) => {
        for (const [i, { resolve, reject }] of batch.entries()) {
          const outcome = outcomes[i] ?? new StoreError('other', 'the store left this take out of its answer');
          if (outcome instanceof StoreError) reject(outcome);
          else resolve(outcome);
        }
      },
      (error) => {
        for (const { reject } of batch) reject(error);
      },
    );
  }
}
