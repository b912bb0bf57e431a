// Tokens admitted to one key by all instances together, and the most that they may have admitted, as both grow: bound 2
// of the judge (fleet-bound.ts) after each answer. It is what lanes and dashboards show; the check alone judges.

import {
  type AnswerEvent,
  type FaultEvent,
  historyOf,
  type PlacementEvent,
  type RunEvent,
  type SourceKind,
} from '../history.ts';
import type { Bounds } from '../scenario.ts';
import { isAdmit } from './fleet.ts';
import { fleetBound, type Span } from './fleet-bound.ts';
import { isOf, type StateLoss, stateLosses } from './sources.ts';

export class KeyAccount {
  /** Requests for it. */
  requests = 0;
  /** Tokens, by who admitted them. */
  readonly admittedBy = { shared: 0, local: 0 };
  readonly key: string;
  readonly #bounds: Bounds;
  readonly #losses: readonly StateLoss[];
  #shared: Span | undefined;
  readonly #locals = new Map<string, Span>();

  /** `losses` may grow. */
  constructor(key: string, bounds: Bounds, losses: readonly StateLoss[]) {
    this.key = key;
    this.#bounds = bounds;
    this.#losses = losses;
  }

  /** An answer of a faulted instance to a request for this key. */
  enter(answer: AnswerEvent): void {
    const { source, instance } = answer;
    this.requests++;
    if (source === null || source === 'none') return;
    if (isAdmit(answer)) this.admittedBy[source]++;
    if (source === 'shared') this.#shared = stretched(this.#shared, answer);
    else this.#locals.set(instance, stretched(this.#locals.get(instance), answer));
  }

  get admitted(): number {
    return this.admittedBy.shared + this.admittedBy.local;
  }

  /** With the buckets that were lost until then. */
  boundAt(atMs: number): number {
    const lossesOf = (kind: SourceKind, instance: string) =>
      this.#losses.filter((it) => it.beginMs <= atMs && isOf(kind, { instance, key: this.key })(it)).length;
    const locals = [...this.#locals].map(([instance, span]) => ({ ...span, losses: lossesOf('local', instance) }));
    return fleetBound(this.#bounds, { shared: this.#shared, losses: lossesOf('shared', ''), locals });
  }
}

/** Which buckets were lost, and when, as far as it is known while a run lasts. */
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
