// Records that nobody's run left: broken by a crash, by a full disk, or by somebody who wants the report to lie.

import { execFileSync } from 'node:child_process';
import { appendFileSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { worstOf } from '../../../chaos/checks/check.ts';
import type { HistoryEvent } from '../../../chaos/history.ts';
import { readRun } from '../../../chaos/report/read-run.ts';
import { failover, placement } from '../../support/failover-history.ts';
import { eventsOf } from '../../support/history-builder.ts';
import { storeErrors } from '../../support/history-events.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { linesOf, runWith } from '../../support/runs.ts';

let temporary: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  temporary = temporaryDirectory();
});
afterEach(() => temporary[Symbol.dispose]());

const read = (text: string) => readRun(join(runWith(temporary.path, 'run', text), 'events.ndjson'));
const events = eventsOf({ storeErrors: [storeErrors('limiter-1', 500, { timeout: 1 })] });
/** With what only a cluster has at its end. */
const longer = [...events, placement, failover];
const lineOf = (type: HistoryEvent['type']) => longer.findIndex((event) => event.type === type) + 1;

/** The run, with the first event of that type replaced by what `change` makes of it. */
function withChanged(type: HistoryEvent['type'], change: Readonly<Record<string, unknown>>): string {
  const line = lineOf(type);
  const all = line > events.length ? longer : events;
  return linesOf(all.with(line - 1, { ...all[line - 1], ...change } as HistoryEvent));
}

describe('a record in which one field does not fit', () => {
  it('is whole before', () => {
    const run = read(linesOf(events));
    expect([run.gaps, worstOf(run.checks.map(({ verdict }) => verdict))]).toEqual([[], 'pass']);
    expect(readRun(join(runWith(temporary.path, 'longer', linesOf(longer)), 'events.ndjson')).gaps).toEqual([]);
  });

  it.each([
    ['answer', { remaining: undefined }, 'remaining is missing; allowed: a number from 0, or null'],
    ['answer', { remaining: '9' }, 'remaining is "9"; allowed: a number from 0, or null'],
    ['answer', { remaining: -4 }, 'remaining is -4; allowed: a number from 0, or null'],
    ['answer', { status: 'OK' }, 'status is "OK"; allowed: a whole number from 0 to 999'],
    ['answer', { status: 200.5 }, 'status is 200.5; allowed: a whole number from 0 to 999'],
    ['answer', { receivedMs: null }, 'receivedMs is null; allowed: ms of the run, within a day'],
    ['answer', { receivedMs: 1e300 }, 'receivedMs is 1e+300; allowed: ms of the run, within a day'],
    ['answer', { receivedMs: -5 }, 'receivedMs is -5; allowed: an instant that is not before sentMs'],
    ['answer', { scheduledMs: [] }, 'scheduledMs is []; allowed: ms of the run, within a day'],
    ['answer', { source: 'magic' }, 'source is "magic"; allowed: shared, local, none, null'],
    ['answer', { source: undefined }, 'source is missing; allowed: shared, local, none, null'],
    ['answer', { key: { toString: 1 } }, 'key is {"toString":1}; allowed: text of at most 4096 characters'],
    ['answer', { instance: 'x'.repeat(5000) }, /^instance is "x+…; allowed: text of at most 4096 characters$/],
    ['phase', { phase: 'lunch' }, 'phase is "lunch"; allowed: baseline, onset, fault, heal, recovered, end'],
    ['fault', { endMs: -1e9 }, 'endMs is -1000000000; allowed: ms of the run, within a day'],
    ['fault', { state: 'no' }, 'state is "no"; allowed: kept, lost, perhaps-lost, stale, perhaps-emptied'],
    ['fault', { effect: undefined }, 'effect is missing; allowed: cut-off, degraded, none, starved, full, unavailable'],
    ['probe', { seen: 'ghost' }, 'seen is "ghost"; allowed: healthy, broken, other'],
    ['probe', { expected: 'other' }, 'expected is "other"; allowed: healthy, broken'],
    ['breaker', { shard: 7 }, 'shard is 7; allowed: text of at most 4096 characters'],
    ['placement', { keys: { a: 'k1' } }, 'keys.a is "k1"; allowed: a list of texts'],
    ['failover', { endMs: 0 }, 'endMs is 0; allowed: an instant that is not before beginMs'],
    ['store-errors', { totals: { timeout: -1 } }, 'totals.timeout is -1; allowed: a number from 0'],
    ['store-errors', { totals: null }, 'totals is null; allowed: a count for each reason'],
  ] as const)('is damaged, and the line is told: %s %j', (type, change, message) => {
    const run = read(withChanged(type, change));
    const [gap = ''] = run.gaps;
    const [, line, told = ''] = /^1 line does not fit and is left out: line (\d+): (.*)\.$/.exec(gap) ?? [];
    expect([run.gaps.length, Number(line)], gap).toEqual([1, lineOf(type)]);
    expect(told).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(worstOf(run.checks.map(({ verdict }) => verdict))).toBe('unknown');
  });

  it.each([
    [{ bounds: { ...(events[0] as { bounds: object }).bounds, refillPerSecond: 0 } }, 'bounds.refillPerSecond is 0'],
    [{ schedule: 'partition' }, 'schedule is "partition"; allowed: a list of faults'],
    [{ schedule: [{}] }, 'schedule.0.fault is missing; allowed: text of at most 4096 characters'],
    [{ gives: ['all'] }, 'gives.0 is "all"; allowed: source, remaining, breaker'],
    [{ withoutStore: { answer: 'maybe' } }, 'withoutStore.answer is "maybe"; allowed: allow, refuse'],
    [{ withoutStore: { answer: 'allow', forMs: 0 } }, 'withoutStore.forMs is 0; allowed: '],
    [{ startedAt: 'yesterday' }, 'startedAt is "yesterday"; allowed: an instant in ISO 8601, UTC'],
    [{ instances: [{ name: 'a', control: 'no' }] }, 'instances.0.control is "no"; allowed: true, false'],
    [{ environment: { node: 24 } }, 'environment.node is 24; allowed: text of at most 4096 characters'],
  ])('of the line that tells what was run is damaged: %j', (change, message) => {
    const run = read(withChanged('run', change));
    expect(run.gaps.join(' ')).toContain(`line 1: ${message}`);
    expect(run.described).toBe(false);
  });
});

describe('a record that is too much', () => {
  it('has the first of its bad lines told, and the others counted', () => {
    const run = read(`${linesOf(events)}${'{}\n'.repeat(7)}`);
    const at = (n: number) => `line ${events.length + n}: type is missing; allowed: a type of event`;
    expect(run.gaps).toEqual([`7 lines do not fit and are left out: ${at(1)}; ${at(2)}; ${at(3)}; and 4 more.`]);
  });

  it('of two runs is judged by the first, and never passes', () => {
    const run = read(linesOf([...events, { ...events[0], seed: 43 } as HistoryEvent]));
    expect(run.history.run.seed).toBe(42);
    expect(run.gaps).toEqual(['It tells of 2 runs; this is the first.']);
  });

  it('costs little where a line is 300 MB long: it is skipped, and what follows is read', () => {
    const directory = runWith(temporary.path, 'run', linesOf(events));
    const path = join(directory, 'events.ndjson');
    const [head, ...rest] = linesOf(events).split(/(?<=\n)/);
    writeFileSync(path, head ?? '');
    ftruncateSync(openSync(path, 'r+'), 300e6);
    appendFileSync(path, `\n${rest.join('')}`);
    const before = process.threadCpuUsage();
    const run = readRun(path);
    const { user, system } = process.threadCpuUsage(before);
    expect(run.gaps).toEqual(['1 line does not fit and is left out: line 2: it is longer than 1 MiB.']);
    expect(run.history.answers.length).toBe(events.filter(({ type }) => type === 'answer').length);
    expect((user + system) / 1000).toBeLessThan(3000);
  });

  it('has no events in a pipe, a link or a directory, and does not wait for any', () => {
    const directory = runWith(temporary.path, 'run', linesOf(events));
    const path = (name: string) => join(directory, name);
    execFileSync('mkfifo', [path('fifo')]);
    execFileSync('ln', ['-s', 'events.ndjson', path('link')]);
    execFileSync('mkdir', [path('directory')]);
    expect(() => readRun(path('fifo'))).toThrow(`${path('fifo')} is no regular file`);
    expect(() => readRun(path('link'))).toThrow(`${path('link')} is a link; a run's files are none`);
    expect(() => readRun(path('directory'))).toThrow(`${path('directory')} is no regular file`);
  });
});
