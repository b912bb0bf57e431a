// A history of a cluster that loses one master of three and of a limiter that came through it well:
//
//   1 s ── kill ───── 2.5 s ── nobody named ── 2.6 s ── all name b:2 ── 2.7 s ──── 5 s ── started again ── 10 s
//     k0: fallback                                       fallback        redis            redis
//     k1, k2: redis                                                      redis            redis
//
// Each request asks for one of the three keys, of which each master holds one.

import type { AnswerEvent, FailoverEvent, History, PlacementEvent } from '../../chaos/history.ts';
import { buildHistory, type HistorySpec, type PhaseSpec } from './history-builder.ts';
import { move } from './history-events.ts';

export const victim = 'a:1';
export const successor = 'b:2';

export const placement: PlacementEvent = {
  type: 'placement',
  atMs: 1000,
  victim,
  keys: { [victim]: ['k0'], 'a:2': ['k1'], 'a:3': ['k2'] },
};

export const failover: FailoverEvent = { type: 'failover', beginMs: 2500, endMs: 2600, from: victim, to: successor };

export const keyOf = (i: number): string => `k${i % 3}`;

/** Who answers the i-th request of a phase that begins at `startMs`, of 600 a second; k0 is decided by Redis from `backMs` on. */
export const shardLost =
  (startMs: number, backMs = 2700) =>
  (i: number): AnswerEvent['source'] =>
    i % 3 === 0 && startMs + (i * 1000) / 600 < backMs ? 'local' : 'shared';

/** The phases of that history, as changes to the usual ones. */
const phases: Partial<Record<PhaseSpec['name'], Partial<PhaseSpec>>> = {
  baseline: { key: keyOf },
  onset: { key: keyOf, source: shardLost(1000) },
  fault: { key: keyOf, source: shardLost(2000) },
  heal: { key: keyOf },
  recovered: { key: keyOf },
};

const openings = ['limiter-1', 'limiter-2'].flatMap((name) => [
  move(name, 1016, 'closed', 'open', victim),
  move(name, 2800, 'open', 'gone', victim),
]);

export function failoverHistory(changes: HistorySpec = {}): History {
  return buildHistory(failoverSpec(changes));
}

export function failoverSpec(changes: HistorySpec = {}): HistorySpec {
  return {
    fault: { kind: 'master-kill' },
    breaker: openings,
    placement,
    placed: true,
    failover,
    ...changes,
    phases: { ...phases, ...(changes.phases as typeof phases | undefined) },
  };
}
