// A circuit breaker around a store: after some failures in a row it stops asking the store at all, so that nobody waits for
// an answer that will not come, and looks by itself when the store is back.
//
//   closed ── `failures` calls in a row failed ──▶ open ── resetMs, jittered ──▶ half-open ── probe answered ──▶ closed
//                                                   ▲                               │
//                                                   └──────── probe failed ─────────┘
//
// The last of that row must have begun after its first had failed: calls in flight at the same time all meet the same
// hiccup, which is no reason to do without the store for a second.
//
// The states and their timer are opossum's. Three things are done here because opossum does them otherwise: it counts
// a rate and not a row, it lets a user's request be the probe, and a call begun before the opening may close it.

import CircuitBreaker from 'opossum';
import { type BatchStore, type Outcome, StoreError, type Take } from './store.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Calls that must fail in a row to open it. */
  readonly failures: number;
  /** Milliseconds until a probe, before jitter. */
  readonly resetMs: number;
  /** One call that takes nothing; resolves when the store would answer. */
  readonly probe: () => Promise<void>;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly onTransition?: (from: BreakerState, to: BreakerState) => void;
}

/** The wait before a probe is resetMs · (1 ± this), drawn anew each time, so that instances do not probe in lockstep. */
export const resetJitterRatio = 0.2;

const never = new Promise<never>(() => {});

export class Breaker implements BatchStore {
  readonly #store: BatchStore;
  readonly #options: BreakerOptions;
  readonly #circuit: CircuitBreaker<[call: Promise<unknown>, number: number]>;
  #state: BreakerState = 'closed';
  #calls = 0;
  #failuresInARow = 0;
  /** Calls that had begun when the first of the row failed. */
  #callsBeforeRow = 0;
  #moves = 0;

  constructor(store: BatchStore, options: BreakerOptions) {
    this.#store = store;
    this.#options = options;
    const circuitOptions = {
      timeout: false as const, // every call has its own deadline, and opossum's would not cancel it
      errorThresholdPercentage: 100, // never reached ("over"): only open() below opens it
      resetTimeout: this.#jitteredResetMs(),
      rollingPercentilesEnabled: false, // otherwise each failure sorts the whole window, for milliseconds
      enableSnapshots: false, // likewise
    } satisfies CircuitBreaker.Options;
    this.#circuit = new CircuitBreaker((call, _number) => this.#watched(call), circuitOptions);
    this.#circuit.on('success', () => {
      this.#failuresInARow = 0;
    });
    this.#circuit.on('failure', (_error, _latencyMs, [, number]) => {
      if (this.#failuresInARow++ === 0) this.#callsBeforeRow = this.#calls;
      const askedAgain = number > this.#callsBeforeRow || options.failures === 1;
      if (this.#circuit.closed && askedAgain && this.#failuresInARow >= options.failures) this.#circuit.open();
    });
    this.#circuit.on('open', () => this.#move('open'));
    this.#circuit.on('close', () => this.#move('closed'));
    this.#circuit.on('halfOpen', () => {
      this.#move('half-open');
      circuitOptions.resetTimeout = this.#jitteredResetMs(); // opossum reads it at the next opening
      this.#fire(options.probe());
    });
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Rejects at once, and asks nothing of the store, unless closed. */
  takeMany(takes: readonly Take[]): Promise<Outcome[]> {
    if (this.#state !== 'closed')
      return Promise.reject(new StoreError('disconnected', `the breaker is ${this.#state}`));
    const call = this.#store.takeMany(takes);
    this.#fire(call);
    return call;
  }

  close(): void {
    this.#circuit.shutdown();
  }

  /** opossum only learns how the call ended; its caller has the call itself. */
  #fire(call: Promise<unknown>): void {
    this.#circuit.fire(call, ++this.#calls).catch(() => {});
  }

  /** The call's end, unless the breaker has moved since: then it says nothing about the present state. */
  #watched(call: Promise<unknown>): Promise<unknown> {
    const movesAtStart = this.#moves;
    return call.then(
      () => (this.#moves === movesAtStart ? undefined : never),
      (error) => {
        if (this.#moves !== movesAtStart) return never;
        throw error;
      },
    );
  }

  #move(to: BreakerState): void {
    const from = this.#state;
    this.#state = to;
    this.#moves++;
    this.#failuresInARow = 0;
    this.#options.onTransition?.(from, to);
  }

  #jitteredResetMs(): number {
    return Math.round(this.#options.resetMs * (1 + resetJitterRatio * (2 * this.#options.random() - 1)));
  }
}
