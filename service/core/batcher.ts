// Gathers the takes of one event-loop turn and sends them as one call.
//
//   poll phase:  request, request, request …      each calls decide()
//   check phase: flush ──▶ store.decideMany([…])    once; a lone request waits for nothing but the end of its turn
//
// The takes of a turn that brought answers too wait for one turn more, once: who was just answered asks again, and a
// call that carries both halves of the clients costs less than two. It is a turn without sleep.
//
// A call that is full waits for nothing: the store works on it while the rest of the turn is read.

import { type BatchStore, type Decision, type Outcome, type Store, StoreError, type Take } from './store.ts';

/** Who waits for how a take ends. Told so once, by no promise: that would be a good part of what a take costs. */
export interface Waiting {
  readonly take: Take;
  /** What this throws, `failed` is told. */
  ended(outcome: Outcome): void;
  /** On a defect of ours or of the store. */
  failed(defect: unknown): void;
}

export class Batcher implements Store {
  readonly #store: BatchStore;
  readonly #sizeMax: number;
  #waiting: Waiting[] = [];
  /** Of those who wait. */
  #charges = 0;
  /** Whether those who wait have been put off by a turn already. */
  #deferred = false;
  /** Whether this turn brought an answer. */
  #answered = false;
  #turnEnds = false;

  /** `sizeMax`: charges in one call, at the most where it is not one take's, so that no call holds the store for long. */
  constructor(store: BatchStore, sizeMax: number) {
    this.#store = store;
    this.#sizeMax = sizeMax;
  }

  decide(take: Take): Promise<Decision> {
    return new Promise((resolve, reject) => {
      this.ask({
        take,
        ended: (outcome) => (outcome instanceof StoreError ? reject(outcome) : resolve(outcome)),
        failed: reject,
      });
    });
  }

  /** Asks for the take of one who waits, who is told later. */
  ask(waiting: Waiting): void {
    const { length } = waiting.take.charges;
    if (this.#charges + length > this.#sizeMax) this.#flush();
    this.#waiting.push(waiting);
    this.#charges += length;
    this.#awaitTurnsEnd();
  }

  #awaitTurnsEnd(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#turnEnds = false;
    this.#deferred = this.#answered && !this.#deferred && this.#waiting.length > 0;
    this.#answered = false;
    if (this.#deferred) this.#awaitTurnsEnd();
    else this.#flush();
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#charges = 0;
    this.#send(batch);
  }

  #send(batch: readonly Waiting[]): void {
    this.#store.decideMany(batch.map(({ take }) => take)).then(
      (outcomes) => {
        this.#answered = true;
        this.#awaitTurnsEnd();
        for (let i = 0; i < batch.length; i++) end(batch[i] as Waiting, outcomes[i] ?? leftOut);
      },
      (error) => {
        for (const waiting of batch) {
          if (error instanceof StoreError) end(waiting, error);
          else waiting.failed(error);
        }
      },
    );
  }
}

const leftOut = new StoreError('other', 'the store left this take out of its answer');

function end(waiting: Waiting, outcome: Outcome): void {
  try {
    waiting.ended(outcome);
  } catch (defect) {
    waiting.failed(defect);
  }
}
