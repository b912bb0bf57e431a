// Bound 5: a breaker moves closed → open → half-open → open or closed, and in no other way.
//
// Judged by what the instances tell: each move must be one of these and begin where the one before it ended. An instance
// has a breaker for each Redis that it uses. What a breaker says must also be what its instance does (breaker-words.ts).

import type { BreakerEvent, History } from '../history.ts';
import { beganElsewhere, contradictionsIn } from './breaker-words.ts';
import type { Check, CheckResult, Verdict } from './check.ts';

/** A breaker is gone with its Redis, in whatever state; one that comes back has a new one, which is closed. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  closed: ['open', 'gone'],
  open: ['half-open', 'gone'],
  'half-open': ['open', 'closed', 'gone'],
};

export const breaker: Check = {
  name: 'breaker',
  property: 'a breaker moves closed → open → half-open → open or closed, in no other way, and is what it says',
  needs: ['breaker'],
  judge(history: History): CheckResult[] {
    const { instances } = history.run;
    const byBreaker = Map.groupBy(history.breaker, nameOf);
    const wrong = [...byBreaker.values()]
      .flatMap((moves) => wrongMoves(history, moves))
      .sort((a, b) => a.move.atMs - b.move.atMs);
    const state = (verdict: Verdict, detail: string, measured = wrong.length): CheckResult[] => [
      { name: 'breaker', phase: 'all', verdict, measured, limit: 0, unit: 'moves', detail },
    ];
    const [first] = wrong;
    if (first) {
      const { move, was } = first;
      const at = `at ${(move.atMs / 1000).toFixed(3)} s`;
      return state(
        'fail',
        `the breaker of ${nameOf(move)}, which was ${was}, moved from ${move.from} to ${move.to} ${at}`,
      );
    }
    const contradictions = contradictionsIn(history);
    const [contradiction] = contradictions;
    if (contradiction) return state('fail', contradiction.detail, contradictions.length);
    const silent = instances.find(({ reportsBreaker }) => !reportsBreaker);
    if (silent) return state('unknown', `${silent.name} does not tell of its breaker`);
    if (instances.length === 0) return state('unknown', 'no instance');
    return state('pass', `${history.breaker.length} moves, each of them allowed`);
  },
};

interface WrongMove {
  readonly move: BreakerEvent;
  /** Its state before, by the move before. */
  readonly was: string;
}

/** Those of one breaker, in order of time. It was closed before its first move, or had opened before the run. */
function wrongMoves(history: History, moves: readonly BreakerEvent[]): WrongMove[] {
  return moves.flatMap((move, i) => {
    const before = moves[i - 1]?.to ?? (beganElsewhere(history, move) ? 'closed' : move.from);
    const was = before === 'gone' ? 'closed' : before;
    return was === move.from && allowed[move.from]?.includes(move.to) ? [] : [{ move, was }];
  });
}

function nameOf({ instance, shard }: BreakerEvent): string {
  return shard === undefined ? instance : `${instance} for ${shard}`;
}
