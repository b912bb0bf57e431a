import { describe, expect, it } from 'vitest';
import type { BreakerEvent } from '../../../chaos/history.ts';
import { eventList } from '../../../chaos/report/page/event-list.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { move } from '../../support/history-events.ts';

/** The rows about breakers, as `at, text`. */
function rowsOf(breaker: readonly BreakerEvent[]): string[][] {
  const history = buildHistory({ breaker });
  const { text } = eventList({ history, checks: [], endedAt: history.run.startedAt, gaps: [], described: true });
  const rows = [...text.matchAll(/<tr><td>([^<]*)<\/td><td>breaker<\/td><td>([^<]*)<\/td><\/tr>/g)];
  return rows.map(([, at = '', event = '']) => [at, event]);
}

const probes = (instance: string, n: number, fromMs: number, shard?: string) =>
  Array.from({ length: n }, (_, i) => [
    move(instance, fromMs + 1000 * i, 'open', 'half-open', shard),
    move(instance, fromMs + 1000 * i + 5, 'half-open', 'open', shard),
  ]).flat();

describe('the list of events', () => {
  it('has one row for the probes of an outage that failed one after another', () => {
    const outage = [
      move('limiter-1', 1016, 'closed', 'open'),
      ...probes('limiter-1', 20, 2000),
      move('limiter-1', 22_000, 'open', 'half-open'),
      move('limiter-1', 22_004, 'half-open', 'closed'),
    ];
    expect(rowsOf(outage)).toEqual([
      ['1.016 s', 'limiter-1: closed to open'],
      ['2.000 s', 'limiter-1: half-open and open again: 20 probes failed until 21.005 s'],
      ['22.000 s', 'limiter-1: open to half-open'],
      ['22.004 s', 'limiter-1: half-open to closed'],
    ]);
  });

  it('keeps instances and shards apart, though their moves alternate', () => {
    const moves = [
      ...probes('limiter-1', 2, 2000),
      ...probes('limiter-2', 1, 2002),
      ...probes('limiter-1', 3, 2001, 'a:1'),
    ];
    expect(rowsOf(moves)).toEqual([
      ['2.000 s', 'limiter-1: half-open and open again: 2 probes failed until 3.005 s'],
      ['2.001 s', 'limiter-1 for a:1: half-open and open again: 3 probes failed until 4.006 s'],
      ['2.002 s', 'limiter-2: half-open and open again: 1 probe failed'],
    ]);
  });

  it('leaves every other move a row of its own', () => {
    const moves = [
      move('limiter-1', 1000, 'open', 'half-open'),
      move('limiter-1', 1500, 'half-open', 'closed'),
      move('limiter-1', 1600, 'half-open', 'open'),
      move('limiter-1', 1700, 'open', 'closed'),
    ];
    expect(rowsOf(moves).map(([, text]) => text)).toEqual(moves.map(({ from, to }) => `limiter-1: ${from} to ${to}`));
  });
});
