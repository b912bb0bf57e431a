// The switchboard of a session by hand: rows, each with one fault at a time, and each fault with a time limit after which
// it heals itself. Changes of one row happen one after another.

import type { FaultKind, Switch } from './messages.ts';

export interface Row {
  readonly link: string;
  readonly faults: readonly FaultKind[];
  readonly inject: (fault: FaultKind) => Promise<void>;
  readonly heal: (fault: FaultKind) => Promise<void>;
}

interface State {
  readonly row: Row;
  on: Switch['on'];
  limit: NodeJS.Timeout | undefined;
  /** Resolves when the last change that was asked for is done. */
  pending: Promise<void>;
  waiting: number;
}

export class Switchboard {
  readonly #states: ReadonlyMap<string, State>;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  #isClosed = false;

  constructor(rows: readonly Row[], onChange: () => void, onError: (error: unknown) => void) {
    this.#states = new Map(
      rows.map((row) => [row.link, { row, on: null, limit: undefined, pending: Promise.resolve(), waiting: 0 }]),
    );
    this.#onChange = onChange;
    this.#onError = onError;
  }

  get switches(): Switch[] {
    return [...this.#states.values()].map(({ row: { link, faults }, on, waiting }) => ({
      link,
      faults,
      on,
      busy: waiting > 0,
    }));
  }

  /** Takes off what is on the link, and puts the fault on for `limitMs`; null takes off only. Too late once it is closed. */
  async set(link: string, fault: FaultKind | null, limitMs: number): Promise<void> {
    const state = this.#states.get(link);
    if (!state || (this.#isClosed && fault !== null)) return;
    state.waiting++;
    this.#onChange();
    state.pending = state.pending
      .then(() => this.#change(state, fault, limitMs))
      .catch(this.#onError)
      .finally(() => {
        state.waiting--;
        this.#onChange();
      });
    await state.pending;
  }

  /** Heals everything, for good: what is asked for from now on comes too late. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#states.keys()].map((link) => this.set(link, null, 0)));
  }

  async #change(state: State, fault: FaultKind | null, limitMs: number): Promise<void> {
    clearTimeout(state.limit);
    if (state.on && state.on.fault !== fault) {
      await state.row.heal(state.on.fault);
      state.on = null;
    }
    if (fault === null) return;
    const isThere = state.on !== null;
    state.on = { fault, untilEpochMs: Date.now() + limitMs }; // known before it is there, so that it is healed in any case
    try {
      if (!isThere) await state.row.inject(fault);
    } finally {
      // Half of it may be there where it failed.
      state.on = { fault, untilEpochMs: Date.now() + limitMs };
      state.limit = setTimeout(() => this.set(state.row.link, null, 0), limitMs);
    }
  }
}
