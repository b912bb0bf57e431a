import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { worstOf } from '../../../chaos/checks/check.ts';
import { LabError } from '../../../chaos/errors.ts';
import { readRun } from '../../../chaos/report/read-run.ts';
import { failover, failoverSpec, placement } from '../../support/failover-history.ts';
import { eventsOf } from '../../support/history-builder.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { linesOf, runWith, specs } from '../../support/runs.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => temporary[Symbol.dispose]());

const read = (text: string) => readRun(join(runWith(temporary.path, 'run', text), 'events.ndjson'));
const verdictOf = ({ checks }: ReturnType<typeof readRun>) => worstOf(checks.map(({ verdict }) => verdict));

describe('reading a run', () => {
  it('gives back what was recorded, and nothing is missing', () => {
    const events = eventsOf(specs.pass);
    const run = read(linesOf(events));
    expect(run.gaps).toEqual([]);
    expect(run.history.answers).toEqual(events.filter(({ type }) => type === 'answer'));
    expect([run.described, verdictOf(run), run.endedAt]).toEqual([true, 'pass', '2026-11-24T04:00:10.000Z']);
  });

  it('gives back the bounds of a limiter that has no fallback', () => {
    const bounds = { fallbackCapacity: 0, fallbackRefillPerSecond: 0 };
    const phases = { onset: { source: 'shared' }, fault: { source: 'shared' } } as const;
    const { history, gaps } = read(linesOf(eventsOf({ bounds, phases })));
    expect([history.run.bounds, gaps]).toEqual([expect.objectContaining(bounds), []]);
  });

  it('gives back where the keys were, and who took over', () => {
    const { history, gaps } = read(linesOf(eventsOf(failoverSpec())));
    expect([history.placement, history.failover, gaps]).toEqual([placement, failover, []]);
  });

  it('finds the lines that do not fit into one piece of the file', () => {
    const run = read(linesOf(eventsOf({ phases: { recovered: { rate: 4000 } } })));
    expect([run.history.answers.length, run.gaps]).toEqual([1.5 * (2 * 600 + 1800 + 1200 + 12_000), []]);
  });

  it('of a file that was cut off takes what is whole, says so, and never passes', () => {
    const text = linesOf(eventsOf({ complete: false }));
    const run = read(text.slice(0, -20));
    expect(run.gaps).toEqual([
      'The last line is incomplete.',
      'The run was cut off before its end: what came after is missing.',
    ]);
    expect(verdictOf(run)).toBe('unknown');
  });

  it('takes no failure from a run of which something is missing, but tells what it looks like', () => {
    const complete = linesOf(eventsOf(specs.fail));
    expect(verdictOf(read(complete))).toBe('fail');
    temporary[Symbol.dispose]();
    temporary = temporaryDirectory();
    const run = read(`${complete}not JSON\n`);
    expect(verdictOf(run)).toBe('unknown');
    expect(run.checks.find(({ name }) => name === 'availability')).toMatchObject({
      verdict: 'unknown',
      detail: expect.stringMatching(/^a failure, if nothing were missing: first: status 503/),
    });
  });

  it('leaves out lines that are not JSON or no event, and counts them', () => {
    const foreign = [
      '{}',
      '[1]',
      '7',
      '{"type":"answer","key":1}',
      '{"type":"__proto__"}',
      '{"type":"phase","phase":"x"}',
      '{"type":"store-errors","instance":"limiter-1","atMs":7,"totals":{"timeout":"many"}}',
    ];
    const events = eventsOf();
    const run = read(`${linesOf(events)}{"cut\n${foreign.join('\n')}\n\n`);
    expect(run.gaps).toEqual([
      `8 lines do not fit and are left out: line ${events.length + 1}: it is no JSON: "{\\"cut"; line ${events.length + 2}: type is missing; allowed: a type of event; line ${events.length + 3}: it is [1]; allowed: an object in JSON; and 5 more.`,
    ]);
  });

  it('shows what it can without the line that tells what was run', () => {
    const run = read(linesOf(eventsOf().slice(1)));
    expect(run).toMatchObject({
      described: false,
      gaps: ['The line that tells what was run is missing: neither the limits nor the settings are known.'],
      history: {
        run: {
          instances: [
            { name: 'limiter-1', control: false, reportsBreaker: true },
            { name: 'limiter-2', control: false, reportsBreaker: true },
            { name: 'limiter-control', control: true, reportsBreaker: false },
          ],
        },
      },
    });
    expect(run.checks.map(({ name, verdict }) => [name, verdict])).toEqual([['history', 'unknown']]);
  });

  it('says when the format is of another version', () => {
    const [first, ...rest] = eventsOf();
    const text = `${JSON.stringify({ ...first, version: 4 })}\n${linesOf(rest)}`;
    expect(read(text).gaps).toEqual(['It was written in version 4 of the format; this report knows 3.']);
  });

  it.each(['', '\n\n', 'GIF89a\u0000\u0001', '{"type":"span"}\n'])(
    'refuses a file in which nothing is known: %j',
    (text) => {
      expect(() => read(text)).toThrow(LabError);
    },
  );

  it('passes on why a file cannot be read', () => {
    mkdirSync(join(temporary.path, 'events.ndjson'));
    expect(() => readRun(join(temporary.path, 'events.ndjson'))).toThrow(/no regular file$/);
  });
});
