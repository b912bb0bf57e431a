// How much work a long run is to judge: counted, by how often its answers are looked at.

import { expect, it } from 'vitest';
import { contradictionsIn } from '../../../chaos/checks/breaker-words.ts';
import { sourcesOf } from '../../../chaos/checks/sources.ts';
import type { AnswerEvent, History } from '../../../chaos/history.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { answer, fault, move, storeErrors } from '../../support/history-events.ts';

/** Each second the breaker opens and closes, the instance is killed, and failed calls are counted. */
function readsOf(seconds: number, judge: (history: History) => unknown): number {
  let reads = 0;
  const counted = (it: AnswerEvent): AnswerEvent => {
    const { sentMs } = it;
    const get = () => {
      reads++;
      return sentMs;
    };
    return Object.defineProperty({ ...it }, 'sentMs', { get });
  };
  const each = <T>(of: (atMs: number, i: number) => readonly T[]): T[] =>
    Array.from({ length: seconds }, (_, i) => of(1000 * i, i)).flat();
  const killed = { fault: 'kill', state: 'lost', reach: 'one-instance', target: 'limiter-1' } as const;
  const history: History = {
    ...buildHistory({ phases: [{ name: 'baseline', ms: 1000 * seconds, rate: 0 }] }),
    answers: each((atMs) =>
      Array.from({ length: 20 }, (_, k) => counted(answer(atMs + 50 * k, { source: k % 2 ? 'shared' : 'local' }))),
    ),
    breaker: each((atMs) => [
      move('limiter-1', atMs + 100, 'closed', 'open'),
      move('limiter-1', atMs + 500, 'open', 'half-open'),
      move('limiter-1', atMs + 600, 'half-open', 'closed'),
    ]),
    faults: each((atMs) => [fault('inject', atMs + 200, killed), fault('heal', atMs + 300, killed)]),
    storeErrors: each((atMs, i) => [storeErrors('limiter-1', atMs, { timeout: 30 * i })]),
  };
  judge(history);
  return reads;
}

it.each([
  ['what breakers say', contradictionsIn],
  ['the buckets that decided', sourcesOf],
])('a run that is four times as long takes no more than six times the work: %s', (_what, judge) => {
  expect(readsOf(400, judge) / readsOf(100, judge)).toBeLessThan(6);
});
