// Which phase a run is in, by what is in place and what was put on and healed last:
//
//   baseline ─ injection ─▶ onset ─ 1 s ─▶ fault ─ last heal begins ─▶ heal ─ 2 s after it ended ─▶ recovered
//                             ▲──────────────── every injection ─────────────────────────────────────┘

import { healMs, onsetMs, type PhaseName } from '../scenario.ts';

export class Phases {
  #inPlace = 0;
  #changes = 0;
  readonly #begin: (phase: PhaseName) => void;
  /** Resolves after that time; rejects when the run is stopped before. */
  readonly #wait: (ms: number) => Promise<void>;

  constructor(begin: (phase: PhaseName) => void, wait: (ms: number) => Promise<void>) {
    this.#begin = begin;
    this.#wait = wait;
  }

  /** A fault is about to be put on. */
  injecting(): void {
    this.#inPlace++;
    this.#enter('onset');
    this.#later(onsetMs, 'fault');
  }

  /** A fault is about to be taken off. */
  healing(): void {
    this.#inPlace--;
    if (this.#inPlace === 0) this.#enter('heal');
  }

  /** A fault is off. */
  healed(): void {
    if (this.#inPlace === 0) this.#later(healMs, 'recovered');
  }

  /** The run is over, perhaps too soon after a heal: none of the phases that were to come begins. */
  over(): void {
    this.#changes++;
  }

  #enter(phase: PhaseName): void {
    this.#changes++;
    this.#begin(phase);
  }

  /** Unless something else has happened by then. */
  #later(ms: number, phase: PhaseName): void {
    const changes = this.#changes;
    this.#wait(ms).then(
      () => changes === this.#changes && this.#enter(phase),
      () => {}, // stopped
    );
  }
}
