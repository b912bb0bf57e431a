// The headers that Envoy adds to the answer of its client: envoyproxy/ratelimit's three, of the descriptor that binds, who
// decided it, and when to try again.

import type { Decision } from '../../core/store.ts';
import { mechanismHeader, retryAfterSeconds } from '../headers.ts';
import { code, type DescriptorStatus } from './response.ts';

/** A descriptor, and its decision where it has one. */
export interface Told {
  readonly status: DescriptorStatus;
  readonly decision: Decision | undefined;
}

/** Names and values in turn; none where there is no limit to tell. */
export function responseHeadersOf(all: readonly Told[]): readonly string[] {
  const limited = all.filter(({ status }) => status.currentLimit);
  const [first] = limited;
  if (!first) return [];
  const { status, decision } = limited.reduce((one, other) => (binds(other.status, one.status) ? other : one), first);
  const headers = [
    'RateLimit-Limit',
    String(status.currentLimit?.requestsPerUnit),
    'RateLimit-Remaining',
    String(status.limitRemaining),
    'RateLimit-Reset',
    String(status.secondsUntilReset),
    mechanismHeader,
    String(decision?.mechanism),
  ];
  if (status.code !== code.overLimit) return headers;
  const retryAfterMs = Math.max(...all.filter(refuses).map((told) => told.decision?.retryAfterMs ?? 0));
  if (Number.isFinite(retryAfterMs)) headers.push('Retry-After', String(retryAfterSeconds({ retryAfterMs })));
  return headers;
}

function refuses({ status }: Told): boolean {
  return status.code === code.overLimit;
}

/** One that is over its limit before all others, then the one with the fewest left. */
function binds(one: DescriptorStatus, other: DescriptorStatus): boolean {
  return one.code === other.code ? one.limitRemaining < other.limitRemaining : one.code === code.overLimit;
}
