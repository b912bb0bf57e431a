// Each instance's breaker over time, from the moves that were recorded. Of several, one for each Redis, the lane shows the
// one that tells most of trouble.

import { countBelow } from '../ascending.ts';
import type { BreakerEvent, History } from '../history.ts';

export interface BreakerSpan {
  /** `closed`, `open` or `half-open`. */
  readonly state: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface BreakerLane {
  readonly instance: string;
  readonly control: boolean;
  /** It tells of its breaker; without that its spans mean nothing, and there are none. */
  readonly reportsBreaker: boolean;
  readonly spans: readonly BreakerSpan[];
}

/** One lane per instance, each from `startMs` to `endMs` without gaps. */
export function breakerLanes(
  { run, breaker }: Pick<History, 'run' | 'breaker'>,
  startMs: number,
  endMs: number,
): BreakerLane[] {
  return run.instances.map(({ name, control, reportsBreaker }) => ({
    instance: name,
    control,
    reportsBreaker,
    spans: reportsBreaker
      ? spansOf(
          breaker.filter(({ instance }) => instance === name),
          startMs,
          endMs,
        )
      : [],
  }));
}

function spansOf(moves: readonly BreakerEvent[], startMs: number, endMs: number): BreakerSpan[] {
  const spans: BreakerSpan[] = [];
  const states = new Map<string | undefined, string>();
  for (const { shard, from } of moves) if (!states.has(shard)) states.set(shard, from);
  let state = worstOf(states.values());
  let sinceMs = startMs;
  for (const { atMs, shard, to } of moves) {
    if (to === 'gone') states.delete(shard);
    else states.set(shard, to);
    const next = worstOf(states.values());
    if (next === state) continue;
    if (atMs > sinceMs) spans.push({ state, startMs: sinceMs, endMs: atMs });
    state = next;
    sinceMs = Math.max(atMs, startMs);
  }
  if (endMs > sinceMs || spans.length === 0) spans.push({ state, startMs: sinceMs, endMs: Math.max(endMs, sinceMs) });
  return spans;
}

/** Any state that is none of the three is the most troublesome: nobody knows what it is. */
function worstOf(states: Iterable<string>): string {
  const order = ['closed', 'half-open', 'open'];
  const rank = (state: string) => (order.includes(state) ? order.indexOf(state) : order.length);
  return [...states].reduce((worst, state) => (rank(state) > rank(worst) ? state : worst), 'closed');
}

/** The state at an instant; that of the nearest span before or after the lane. */
export function stateAt({ spans }: BreakerLane, atMs: number): string {
  const begun = countBelow(spans, atMs, ({ startMs }) => startMs, true);
  return spans[Math.max(0, begun - 1)]?.state ?? 'closed';
}
