// What instances ask of Redis: no token is taken for a request that was answered before, none while the breaker is open,
// and nobody goes on waiting for a Redis that does not answer.

import { usualDriftRatio } from '../bounds.ts';
import type { CheckResult } from '../checks/check.ts';
import type { AnswerEvent, BreakerEvent } from '../history.ts';
import { type FleetCheck, seconds, Tally } from './fleet-check.ts';
import type { TakenToken } from './observer.ts';
import type { Plan } from './plan.ts';

/** Of the timers, and of a turn of the event loop or two. */
const roundingMs = 1;
/** An answer that took so long was waited for. */
const waitMs = 1;
/** Beyond those that open the breaker. */
const vainMax = 2;

/** What is known of one instance. */
interface Standing {
  openSinceMs: number | undefined;
  /**
   * Requests in a row that waited for Redis in vain, each sent after the one before had given up, with no move of the
   * breaker since.
   */
  waited: number;
  gaveUpMs: number;
}

export class CallsCheck implements FleetCheck {
  readonly name = 'late-takes';
  readonly #timeoutMs: number;
  /** A clock that is set back pushes deadlines out until a reply has told. */
  readonly #isClockSetBack: boolean;
  readonly #waitedMax: number;
  readonly #late = new Tally();
  readonly #open = new Tally();
  readonly #vain = new Tally();
  readonly #instances = new Map<string, Standing>();

  constructor({ bounds, faults }: Plan) {
    this.#timeoutMs = bounds.redisTimeoutMs;
    this.#waitedMax = bounds.breakerFailures + vainMax;
    this.#isClockSetBack = faults.some(({ kind }) => kind === 'clock-back');
  }

  taken({ instance, key, sentMs, atMs }: TakenToken): void {
    const lateMs = atMs - sentMs - this.#timeoutMs * (1 + usualDriftRatio);
    if (!this.#isClockSetBack)
      this.#late.judge(
        lateMs <= roundingMs,
        () =>
          `Redis took a token of key ${key} at ${seconds(atMs)}, ${lateMs.toFixed(1)} ms after the deadline of ${instance}`,
      );
    const { openSinceMs = Number.POSITIVE_INFINITY } = this.#standingOf(instance);
    this.#open.judge(
      sentMs <= openSinceMs,
      () => `${instance} asked Redis for key ${key} at ${seconds(sentMs)}, with its breaker open`,
    );
  }

  moved({ instance, to, atMs }: BreakerEvent): void {
    const standing = this.#standingOf(instance);
    standing.openSinceMs = to === 'open' ? atMs : undefined;
    standing.waited = 0;
  }

  answered({ instance, source, sentMs, receivedMs }: AnswerEvent): void {
    const standing = this.#standingOf(instance);
    if (source === 'shared' && receivedMs > sentMs) standing.waited = 0; // not by heart
    if (source !== 'local' || receivedMs - sentMs < waitMs || sentMs < standing.gaveUpMs) return;
    standing.waited++;
    standing.gaveUpMs = receivedMs;
    this.#vain.judge(
      standing.waited <= this.#waitedMax,
      () =>
        `${standing.waited} requests of ${instance} in a row waited in vain for Redis, until ${seconds(receivedMs)}`,
    );
  }

  result(): CheckResult {
    return this.#late.result(this.name, 'tokens taken by Redis');
  }

  get others(): readonly CheckResult[] {
    return [
      this.#open.result('kept-away', 'tokens taken by Redis'),
      this.#vain.result('trips', 'requests that waited in vain'),
    ];
  }

  #standingOf(instance: string): Standing {
    let standing = this.#instances.get(instance);
    if (!standing) {
      standing = { openSinceMs: undefined, waited: 0, gaveUpMs: 0 };
      this.#instances.set(instance, standing);
    }
    return standing;
  }
}
