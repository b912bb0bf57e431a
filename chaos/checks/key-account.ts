// Tokens admitted to one key by all instances together, and the most that they may have admitted, as both grow:
//
//   bound    (B + r·S)·[Redis was used] + B·(losses so far) + Σ over instances that used their fallback (β + ρ·D)
//
// This is bound 2 of the judge (checks/fleet.ts) after each answer instead of once at the end. It is what lanes and
// dashboards show; the check alone judges.

import { type AnswerEvent, type FaultEvent, historyOf, type PlacementEvent, type RunEvent } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import { driftRatio, type StateLoss, stateLosses } from './sources.ts';

interface Span {
  fromMs: number;
  toMs: number;
}

export class KeyAccount {
  /** Requests for it. */
  asked = 0;
  /** Tokens, by who admitted them. */
  readonly admittedBy = { redis: 0, fallback: 0 };
  readonly key: string;
  readonly #bounds: Bounds;
  readonly #losses: readonly StateLoss[];
  #redis: Span | undefined;
  readonly #fallbacks = new Map<string, Span>();

  /** `losses` may grow. */
  constructor(key: string, bounds: Bounds, losses: readonly StateLoss[]) {
    this.key = key;
    this.#bounds = bounds;
    this.#losses = losses;
  }

  /** An answer of a faulted instance to a request for this key. */
  enter(answer: AnswerEvent): void {
    const { mechanism, status, instance } = answer;
    this.asked++;
    if (mechanism === null) return;
    if (status >= 200 && status < 400) this.admittedBy[mechanism]++;
    if (mechanism === 'redis') this.#redis = stretched(this.#redis, answer);
    else this.#fallbacks.set(instance, stretched(this.#fallbacks.get(instance), answer));
  }

  get admitted(): number {
    return this.admittedBy.redis + this.admittedBy.fallback;
  }

  /** With the losses of Redis's data until then. */
  boundAt(atMs: number): number {
    const { capacity, refillPerSecond, fallbackCapacity, fallbackRefillPerSecond } = this.#bounds;
    const losses = this.#losses.filter(({ beginMs, hits }) => beginMs <= atMs && hits(this.key)).length;
    let bound = this.#redis ? capacity * (1 + losses) + refillPerSecond * seconds(this.#redis) : 0;
    for (const span of this.#fallbacks.values()) bound += fallbackCapacity + fallbackRefillPerSecond * seconds(span);
    return bound;
  }
}

/** Which of Redis's buckets were lost, and when, as far as it is known while a run lasts. */
export class LossesSoFar {
  readonly losses: StateLoss[] = [];
  #history: ReturnType<typeof historyOf>;

  constructor(run: RunEvent) {
    this.#history = historyOf([run]);
  }

  learn(event: FaultEvent | PlacementEvent): void {
    const { faults } = this.#history;
    const known = event.type === 'fault' ? { faults: [...faults, event] } : { placement: event };
    this.#history = { ...this.#history, ...known };
    this.losses.splice(0, Number.POSITIVE_INFINITY, ...stateLosses(this.#history));
  }
}

function stretched(span: Span | undefined, { sentMs, receivedMs }: AnswerEvent): Span {
  if (!span) return { fromMs: sentMs, toMs: receivedMs };
  span.fromMs = Math.min(span.fromMs, sentMs);
  span.toMs = Math.max(span.toMs, receivedMs);
  return span;
}

/** Stretched by clock drift. */
function seconds({ fromMs, toMs }: Span): number {
  return ((toMs - fromMs) / 1000) * (1 + driftRatio);
}
