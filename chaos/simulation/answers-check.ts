// What clients see of a fleet: each request is decided within the deadline, and after the last fault by Redis, all of them.

import { usualDriftRatio } from '../bounds.ts';
import type { CheckResult } from '../checks/check.ts';
import type { AnswerEvent, BreakerEvent } from '../history.ts';
import { type FleetCheck, seconds, Tally } from './fleet-check.ts';
import { lastFaultEndsMs, type Plan } from './plan.ts';
import { nameOf } from './world.ts';

/** The deadline's timer, and two turns of an event loop. */
const roundingMs = 2;
/** A connection that is silent is noticed within 3 s, made again in 1 s, and the breaker probes within 1.2 s. */
const recoveryMs = 6000;

export class AnswersCheck implements FleetCheck {
  readonly name = 'deadline';
  readonly #deadlineMs: number;
  readonly #settledMs: number;
  /** When instances stood still, each with how long it may be felt. */
  readonly #pauses: readonly {
    readonly instances: ReadonlySet<string>;
    readonly fromMs: number;
    readonly toMs: number;
  }[];
  readonly #late = new Tally();
  readonly #settled = new Tally();
  readonly #breakers = new Map<string, string>();

  constructor(plan: Plan) {
    this.#deadlineMs = plan.bounds.redisTimeoutMs * (1 + usualDriftRatio) + roundingMs;
    this.#settledMs = lastFaultEndsMs(plan) + recoveryMs;
    this.#pauses = plan.faults
      .filter(({ kind }) => kind === 'pause')
      .map(({ instances, atMs, forMs }) => ({
        instances: new Set(instances.map(nameOf)),
        fromMs: atMs - this.#deadlineMs,
        toMs: atMs + forMs,
      }));
  }

  answered(answer: AnswerEvent): void {
    const { instance, key, source, status, sentMs, receivedMs } = answer;
    if (status === 0) return; // its instance was killed
    const isLate = receivedMs - sentMs > this.#deadlineMs;
    this.#late.judge(
      !isLate ||
        this.#pauses.some(
          ({ instances, fromMs, toMs }) => instances.has(instance) && sentMs >= fromMs && sentMs <= toMs,
        ),
      () => `${instance} answered key ${key} at ${seconds(receivedMs)}, after ${(receivedMs - sentMs).toFixed(1)} ms`,
    );
    if (sentMs > this.#settledMs)
      this.#settled.judge(
        source === 'shared',
        () => `${instance} decided key ${key} by itself at ${seconds(sentMs)}, though nothing was broken any more`,
      );
  }

  moved({ instance, to }: BreakerEvent): void {
    this.#breakers.set(instance, to === 'gone' ? 'closed' : to);
  }

  result(): CheckResult {
    return this.#late.result(this.name, 'answers');
  }

  /** No state of its own keeps the fleet from recovering. */
  get recovery(): CheckResult {
    for (const [instance, state] of this.#breakers)
      if (this.#settled.judged > 0)
        this.#settled.judge(state === 'closed', () => `the breaker of ${instance} ended ${state}`);
    return this.#settled.result('settled', 'answers and breakers after the last fault');
  }
}
