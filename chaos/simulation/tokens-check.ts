// The bound (B + r·S) + B·losses + Σ (β + ρ·D) over every window there is, not that of the whole run only; and fairness: no
// key is refused while Redis surely holds a token for it, whatever other keys do.
//
// A simulation knows when each token was taken. So each bucket is held to its own term by itself: what Redis gives to
// B + r·Δ for each window Δ, once more B after each loss, and what one fallback gives to β + ρ·Δ. Then any window of the sum
// holds too.

import { usualDriftRatio } from '../bounds.ts';
import type { CheckResult } from '../checks/check.ts';
import { type AnswerEvent, type FaultEvent, isAllowed, isDenied } from '../history.ts';
import { type FleetCheck, seconds, Tally } from './fleet-check.ts';
import { LeakyBucket } from './leaky-bucket.ts';
import type { TakenToken } from './observer.ts';
import type { Plan } from './plan.ts';

const roundingTokens = 1e-3;
/** Of fairness: takes that are under way, and the fraction of a token that nobody is told. */
const surelyTokens = 1;

/** One instance's fallback. */
interface Fallback {
  readonly buckets: Map<string, LeakyBucket>;
  /** Tokens that had refilled in each of its buckets at `atMs`, since the beginning. */
  refilled: number;
  atMs: number;
  perMs: number;
}

export class TokensCheck implements FleetCheck {
  readonly name = 'tokens';
  readonly #bounds: Plan['bounds'];
  readonly #tally = new Tally();
  readonly #fairness = new Tally();
  /** As full as they can be, and as empty: they differ where nobody knows what was lost. */
  readonly #most = new Map<string, LeakyBucket>();
  readonly #least = new Map<string, LeakyBucket>();
  readonly #fallbacks = new Map<string, Fallback>();
  readonly #perMs: number;
  readonly #told: boolean;
  readonly #setBack: Plan['faults'];
  /** Until then an instance may repeat what Redis said before its loss. */
  #unfairUntilMs = 0;
  #worst = 0;

  constructor({ bounds, told, faults }: Plan) {
    this.#bounds = bounds;
    this.#told = told;
    this.#perMs = (bounds.refillPerSecond * (1 + usualDriftRatio)) / 1000;
    this.#setBack = faults.filter(({ kind }) => kind === 'clock-back');
  }

  taken({ key, atMs }: TakenToken): void {
    const level = bucketIn(this.#most, key, atMs * this.#perMs).take(atMs * this.#perMs);
    bucketIn(this.#least, key, atMs * this.#perMs).take(atMs * this.#perMs);
    this.#judge(level, this.#bounds.capacity, () => `Redis gave key ${key}`, atMs);
  }

  answered(answer: AnswerEvent): void {
    const { source, instance, key, sentMs, receivedMs } = answer;
    if (source === 'local' && isAllowed(answer)) {
      const fallback = this.#fallbackOf(instance, receivedMs);
      const level = bucketIn(fallback.buckets, key, fallback.refilled).take(fallback.refilled);
      this.#judge(
        level,
        this.#bounds.fallbackCapacity,
        () => `the fallback of ${instance} gave key ${key}`,
        receivedMs,
      );
    }
    if (source === 'shared' && isDenied(answer) && this.#isFair(receivedMs)) {
      // Redis refused some time since the request was sent: the answer may have waited for an instance that stood still.
      const level = this.#least.get(key)?.levelAt((sentMs * this.#perMs) / (1 + usualDriftRatio) ** 2) ?? 0;
      const left = this.#bounds.capacity - level;
      this.#fairness.judge(
        left < Math.min(this.#bounds.capacity, 1 + surelyTokens),
        () => `${instance} refused key ${key} at ${seconds(receivedMs)} with ${left.toFixed(1)} tokens left in Redis`,
      );
    }
  }

  lost({ target, reach, state, beginMs }: FaultEvent): void {
    if (reach === 'one-instance') {
      const fallback = this.#fallbackOf(target, beginMs);
      fallback.buckets.clear();
      if (!this.#told) fallback.perMs = this.#perMs; // it knows of itself alone, until Redis tells
      return;
    }
    this.#most.clear();
    if (state === 'lost') this.#least.clear();
    else {
      // A bucket counts as empty whenever it is asked for first, until the clock is where it was.
      const setBack = this.#setBack.find(({ atMs }) => atMs === beginMs);
      const level = this.#bounds.capacity + (setBack ? setBack.size * this.#perMs : 0);
      for (const bucket of this.#least.values()) bucket.fill(level, beginMs * this.#perMs);
    }
    this.#unfairUntilMs = Math.max(this.#unfairUntilMs, beginMs + this.#windowMs);
  }

  counted(instance: string, count: number, atMs: number): void {
    this.#fallbackOf(instance, atMs).perMs = this.#perMs / count;
  }

  result(): CheckResult {
    const { wrong, first, judged } = this.#tally;
    const detail = first ?? `${judged} tokens, each bucket within its capacity and refill in every window`;
    const verdict = wrong > 0 ? 'fail' : judged > 0 ? 'pass' : 'unknown';
    return { name: this.name, phase: 'all', verdict, measured: this.#worst, limit: 0, unit: 'tokens too many', detail };
  }

  get fairness(): CheckResult {
    return this.#fairness.result('fairness', 'refusals by Redis');
  }

  get #windowMs(): number {
    return (1000 * this.#bounds.capacity) / this.#bounds.refillPerSecond;
  }

  /** Of a clock that was set back, buckets count as empty for a window from when each is asked for, if it is before the old time. */
  #isFair(atMs: number): boolean {
    const isSetBack = this.#setBack.some((it) => atMs > it.atMs && atMs < it.atMs + it.size + 2 * this.#windowMs);
    return atMs > this.#unfairUntilMs && !isSetBack;
  }

  #judge(level: number, capacity: number, what: () => string, atMs: number): void {
    const excess = level - capacity;
    this.#worst = Math.max(this.#worst, excess);
    this.#tally.judge(
      excess <= roundingTokens,
      () => `${what()} ${excess.toFixed(2)} tokens more than it may, at ${seconds(atMs)}`,
    );
  }

  #fallbackOf(instance: string, atMs: number): Fallback {
    let fallback = this.#fallbacks.get(instance);
    if (!fallback) {
      fallback = { buckets: new Map(), refilled: 0, atMs, perMs: this.#perMs };
      this.#fallbacks.set(instance, fallback);
    }
    fallback.refilled += (atMs - fallback.atMs) * fallback.perMs;
    fallback.atMs = atMs;
    return fallback;
  }
}

function bucketIn(buckets: Map<string, LeakyBucket>, key: string, refilled: number): LeakyBucket {
  let bucket = buckets.get(key);
  if (!bucket) {
    bucket = new LeakyBucket(refilled);
    buckets.set(key, bucket);
  }
  return bucket;
}
