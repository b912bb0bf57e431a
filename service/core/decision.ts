// From what a take left in its buckets to what its client is told.

import type { LimitBucket } from './limit.ts';
import type { Charge, Decision, Mechanism, Take } from './store.ts';
import { costUsOf, holds, type Taken } from './token-bucket.ts';

/** What the client is told about a take from one bucket. */
export function decisionOf(bucket: LimitBucket, taken: Taken, cost: number, mechanism: Mechanism): Decision {
  const { allowed, debtUs } = taken;
  const missingUs = debtUs + costUsOf(bucket, cost) - bucket.capacityUs;
  return {
    allowed,
    limit: bucket.capacity,
    remaining: Math.min(bucket.capacity, Math.floor((bucket.capacityUs - debtUs) / bucket.tokenUs)),
    retryAfterMs: allowed ? 0 : cost > bucket.capacity ? Number.POSITIVE_INFINITY : missingUs / 1000,
    resetMs: debtUs / 1000,
    mechanism,
    quota: bucket.quota,
  };
}

/** What the client is told about a take from several: what each of them says, and in front the one that binds. */
export function decisionOfAll(each: readonly Decision[], allowed: boolean): Decision {
  const binding = each.reduce((one, other) => (binds(other, one, allowed) ? other : one));
  return { ...binding, allowed, each };
}

/** What a take left in its buckets, `debtsUs` in their order, as the one of `size` in each limit. */
export function decisionOfTake(
  { charges }: Take,
  size: 'shared' | 'fallback',
  allowed: boolean,
  debtsUs: readonly number[],
  mechanism: Mechanism,
): Decision {
  const ofCharge = ({ limit, cost }: Charge, i: number) => {
    const debtUs = debtsUs[i] as number;
    return decisionOf(limit[size], { allowed: allowed || holds(limit[size], debtUs, cost), debtUs }, cost, mechanism);
  };
  const [only] = charges;
  return charges.length === 1 && only ? ofCharge(only, 0) : decisionOfAll(charges.map(ofCharge), allowed);
}

/** Of a denied take, the bucket that is waited for longest; of an allowed one, that with the fewest tokens left. */
function binds(one: Decision, other: Decision, allowed: boolean): boolean {
  if (!allowed && one.retryAfterMs !== other.retryAfterMs) return one.retryAfterMs > other.retryAfterMs;
  const [left, leftOfOther] = [one.remaining ?? 0, other.remaining ?? 0];
  if (left !== leftOfOther) return left < leftOfOther;
  return one.resetMs > other.resetMs;
}
