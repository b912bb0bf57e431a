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
  const left = charges.filter(({ limit }) => modeOf(limit, outageMs) === 'fallback');
  if (left.length === charges.length) return fallback(take);
  const closed = charges.find(({ limit }) => modeOf(limit, outageMs) === 'closed');
  const decided = closed || left.length === 0 ? undefined : fallback({ ...take, charges: left });
  const decision = decided ?? undecided(closed ?? (charges[0] as Charge), !closed);
  if (charges.length === 1) return decision;
  const ofLeft = (decided?.each ?? (decided ? [decided] : [])).values();
  const each = charges.map((charge) => {
    const mode = modeOf(charge.limit, outageMs);
    return (mode === 'fallback' && ofLeft.next().value) || undecided(charge, mode !== 'closed');
  });
  return { ...decision, each };
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
