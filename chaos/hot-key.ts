// The most popular key of a run while it lasts: what it was admitted, and what it may have been admitted at most.
//
// The same bound as the fleet check's, (B + r·S) + B·losses + Σ (β + ρ·D), kept up to date answer by answer. It is what
// a dashboard shows; the check alone judges.

import type { AnswerEvent } from './history.ts';
import type { Bounds } from './scenario.ts';

/** Rank 0 of Zipf's law: see `arrivalsOf`. */
export const hotKey = 'k0';

interface Span {
  fromMs: number;
  toMs: number;
}

export class HotKey {
  readonly #bounds: Bounds;
  readonly #admitted = { redis: 0, fallback: 0 };
  #redis: Span | undefined;
  readonly #fallbacks = new Map<string, Span>();
  #losses = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** An answer of a faulted instance to a request for this key. */
  answered({ instance, mechanism, status, sentMs, receivedMs }: AnswerEvent): void {
    if (mechanism === null) return;
    if (status >= 200 && status < 400) this.#admitted[mechanism]++;
    const span = mechanism === 'redis' ? this.#redis : this.#fallbacks.get(instance);
    if (span) {
      span.fromMs = Math.min(span.fromMs, sentMs);
      span.toMs = Math.max(span.toMs, receivedMs);
    } else if (mechanism === 'redis') {
      this.#redis = { fromMs: sentMs, toMs: receivedMs };
    } else {
      this.#fallbacks.set(instance, { fromMs: sentMs, toMs: receivedMs });
    }
  }

  /** Redis forgot every bucket. */
  stateLost(): void {
    this.#losses++;
  }

  /** Tokens admitted so far, by who admitted them. */
  get admitted(): Readonly<Record<'redis' | 'fallback', number>> {
    return this.#admitted;
  }

  /** Tokens that may have been admitted so far. */
  get bound(): number {
    const { capacity, refillPerSecond, fallbackCapacity, fallbackRefillPerSecond } = this.#bounds;
    const seconds = ({ fromMs, toMs }: Span) => (toMs - fromMs) / 1000;
    let bound = this.#redis ? capacity * (1 + this.#losses) + refillPerSecond * seconds(this.#redis) : 0;
    for (const span of this.#fallbacks.values()) bound += fallbackCapacity + fallbackRefillPerSecond * seconds(span);
    return bound;
  }
}
