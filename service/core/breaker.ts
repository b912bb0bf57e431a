// A circuit breaker around a store: after some failures in a row it stops asking the store at all, so that nobody waits
// for an answer that will not come, and looks by itself when the store is back.
//
//   closed ── `failures` calls in a row failed ──▶ open ── resetMs, jittered ──▶ half-open ── probe answered ──▶ closed
//                                                   ▲                               │
//                                                   └──────── probe failed ─────────┘
//
// The last of that row must have begun after its first had failed: calls in flight at the same time all meet the same
// hiccup, which is no reason to do without the store for a second.
//
// opossum makes every move: it keeps the timer, goes half-open, and lets one call decide what comes next. It counts a rate,
// so it is told to open when a row is complete, and hears of no other call. It makes a user's request the probe, so a probe
// of our own goes first. What a state has to remember stands in `State`, which is replaced at each move; opossum's own
// flags are not asked.

import CircuitBreaker from 'opossum';
import { type BatchStore, type Outcome, StoreError, type Take } from './store.ts';

export type BreakerState = State['name'];

type State = Closed | { readonly name: 'open' } | { readonly name: 'half-open' };

/** One stretch of being closed. */
interface Closed {
  readonly name: 'closed';
  /** Calls begun in it. */
  calls: number;
  /** The failures since its last answer; undefined when there is none. */
  row: Row | undefined;
}

interface Row {
  failures: number;
  /** Calls that had begun when its first failed. */
  readonly callsBefore: number;
}

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

export class Breaker implements BatchStore {
  readonly #store: BatchStore;
  readonly #options: BreakerOptions;
  readonly #circuit: CircuitBreaker<[probe: Promise<void>], void>;
  #state: State = initialOf('closed');

  constructor(store: BatchStore, options: BreakerOptions) {
    this.#store = store;
    this.#options = options;
    const circuitOptions = {
      timeout: false as const, // every call has its own deadline, and opossum's would not cancel it
      resetTimeout: options.resetMs,
      rollingPercentilesEnabled: false, // nobody reads its statistics
      enableSnapshots: false, // likewise
      rollingCountBuckets: 1, // likewise: each has a timer
    } satisfies CircuitBreaker.Options;
    this.#circuit = new CircuitBreaker((probe) => probe, circuitOptions);
    // Before opossum's own listener, which reads the option and starts the timer.
    this.#circuit.prependListener('open', () => {
      circuitOptions.resetTimeout = jittered(options);
    });
    this.#circuit.on('open', () => this.#enter('open'));
    this.#circuit.on('close', () => this.#enter('closed'));
    this.#circuit.on('halfOpen', () => {
      this.#enter('half-open');
      this.#circuit.fire(options.probe()).catch(() => {}); // whoever probes has told why
    });
  }

  get state(): BreakerState {
    return this.#state.name;
  }

  /** Rejects at once, and asks nothing of the store, unless closed. */
  decideMany(takes: readonly Take[]): Promise<Outcome[]> {
    const state = this.#state;
    switch (state.name) {
      case 'closed': {
        const call = this.#store.decideMany(takes);
        const number = ++state.calls;
        call.then(
          () => {
            state.row = undefined;
          },
          () => this.#failed(state, number),
        );
        return call;
      }
      case 'open':
      case 'half-open':
        return Promise.reject(new StoreError('disconnected', `the breaker is ${state.name}`));
      default:
        return state satisfies never;
    }
  }

  close(): void {
    this.#circuit.shutdown();
  }

  /** Opens when that call, the `number`-th begun in the state, completes a row; not when the breaker has moved since. */
  #failed(begunIn: Closed, number: number): void {
    if (this.#state !== begunIn) return;
    begunIn.row ??= { failures: 0, callsBefore: begunIn.calls };
    begunIn.row.failures++;
    const { failures } = this.#options;
    const isRetried = number > begunIn.row.callsBefore || failures === 1;
    if (isRetried && begunIn.row.failures >= failures) this.#circuit.open();
  }

  /** The one place where the state changes, at opossum's word. */
  #enter(to: BreakerState): void {
    const from = this.#state.name;
    this.#state = initialOf(to);
    this.#options.onTransition?.(from, to);
  }
}

function initialOf(name: BreakerState): State {
  switch (name) {
    case 'closed':
      return { name, calls: 0, row: undefined };
    case 'open':
    case 'half-open':
      return { name };
    default:
      return name satisfies never;
  }
}

function jittered({ resetMs, random }: BreakerOptions): number {
  return Math.round(resetMs * (1 + resetJitterRatio * (2 * random() - 1)));
}
