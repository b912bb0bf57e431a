// What becomes of a take that the shared store cannot decide: each limit says for itself.
//
//   closed ─▶ refused            open ─▶ allowed, unless another limit denies            fallback ─▶ decided in memory

import type { Limit } from './limit.ts';
import type { Charge, Decision, Take } from './store.ts';

/** Whoever is refused so learns that it may be over by then; nobody knows. */
const retryMs = 1000;

/** Decides a take `outageMs` after the store's outage began; `fallback` decides for the limits that leave it to it. */
export function decideWithoutStore(take: Take, outageMs: number, fallback: (take: Take) => Decision): Decision {
  const { charges } = take;
  if (charges.every(({ limit }) => modeOf(limit, outageMs) === 'fallback')) return fallback(take);
  const closed = charges.find(({ limit }) => modeOf(limit, outageMs) === 'closed');
  if (closed) return undecided(closed, false);
  const left = charges.filter(({ limit }) => modeOf(limit, outageMs) === 'fallback');
  return left.length > 0 ? fallback({ ...take, charges: left }) : undecided(charges[0] as Charge, true);
}

/** A budget that is used up leaves the take to the fallback. */
function modeOf({ onStoreFailure: { mode, forMs } }: Limit, outageMs: number): 'fallback' | 'open' | 'closed' {
  return outageMs < forMs ? mode : 'fallback';
}

/** No bucket stands behind it, so it says nothing of what is left. */
function undecided({ limit: { shared } }: Charge, allowed: boolean): Decision {
  return {
    allowed,
    limit: shared.capacity,
    retryAfterMs: allowed ? 0 : retryMs,
    resetMs: 0,
    mechanism: allowed ? 'open' : 'closed',
    quota: shared.quota,
  };
}
