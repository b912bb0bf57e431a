// A limiter that was told what to answer without its store: what it rightly does passes, and each way of doing otherwise is
// said by the check that it is for.

import { describe, expect, it } from 'vitest';
import { type CheckResult, runChecks } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { hadStoreIn } from '../../../chaos/checks/store-failure.ts';
import type { AnswerEvent, History } from '../../../chaos/history.ts';
import { buildHistory, type HistorySpec, type PhaseSpec } from '../../support/history-builder.ts';
import { answer, move, storeErrors } from '../../support/history-events.ts';

const allow = { withoutStore: { answer: 'allow' } } as const;
const refuse = { withoutStore: { answer: 'refuse' } } as const;
const none = { source: 'none' } as const;
const refused = { source: 'none', status: 503 } as const;

/** A partition from 12 s to 18 s; the budget is over 3 s after its beginning. */
const budgetMs = 3000;
const budgeted = (fault: Partial<PhaseSpec>, onset: Partial<PhaseSpec> = none): HistorySpec => ({
  withoutStore: { answer: 'allow', forMs: budgetMs },
  phases: [
    { name: 'baseline', ms: 12_000, rate: 100 },
    { name: 'onset', ms: 1000, ...onset },
    { name: 'fault', ms: 5000, ...fault },
    { name: 'heal', ms: 2000 },
    { name: 'recovered', ms: 3000 },
  ],
});
/** Of 600 answers a second in `fault`, which begins a second after the injection. */
const untilMs = (ms: number) => ({ source: (i: number) => (i / 600 < (ms - 1000) / 1000 ? 'none' : 'local') }) as const;

const judge = (history: History): CheckResult[] => runChecks(checks, history, []);
const said = (results: readonly CheckResult[]) =>
  results.flatMap(({ name, phase, verdict }) =>
    verdict === 'fail' || verdict === 'unknown' ? [`${name} ${phase} ${verdict}`] : [],
  );
const changed = (spec: HistorySpec, changes: (it: AnswerEvent) => Partial<AnswerEvent>): History => {
  const history = buildHistory(spec);
  return { ...history, answers: history.answers.map((it) => ({ ...it, ...changes(it) })) };
};
/** One answer of the first instance, at about this time. */
const oneAt = (ms: number) => {
  let done = false;
  return (changes: Partial<AnswerEvent>) => (it: AnswerEvent) => {
    if (done || it.instance !== 'limiter-1' || it.sentMs < ms) return {};
    done = true;
    return changes;
  };
};

const open: HistorySpec = { ...allow, phases: { onset: none, fault: none } };
const closed: HistorySpec = { ...refuse, phases: { onset: refused, fault: refused } };

describe('a limiter that was told to allow without its store', () => {
  it('passes when it does, and says nothing of what remains', () => {
    expect(said(judge(buildHistory(open)))).toEqual([]);
  });

  it('fails when it tells what remains of no bucket, be it nothing', () => {
    expect(said(judge(changed(open, oneAt(3000)({ remaining: 0 }))))).toEqual(['remaining all fail']);
  });

  it('fails when its fallback decides', () => {
    const phases = { onset: none, fault: { source: (i: number) => (i % 50 === 0 ? 'local' : 'none') } } as const;
    expect(said(judge(buildHistory({ ...allow, phases })))).toEqual(['fails-open fault fail']);
  });

  it('fails when it refuses, by whatever status', () => {
    expect(said(judge(changed(open, oneAt(3000)({ status: 503, outcome: 'denied' }))))).toEqual([
      'availability all fail',
    ]);
    expect(said(judge(changed(open, oneAt(3000)({ status: 429 }))))).toEqual(['availability all fail']);
  });

  it('fails when it does without its store before the fault, and longer than noise would have it', () => {
    const baseline = { ms: 4900, source: (i: number) => (i > 600 ? 'none' : 'shared') } as const;
    const results = said(judge(buildHistory({ ...allow, phases: { baseline, onset: none, fault: none } })));
    expect(results).toContain('fails-open baseline fail');
  });

  it('is held to no bucket for what none stands behind', () => {
    const ofOne = (source: AnswerEvent['source']) =>
      said(judge(changed(open, (it) => (it.source === 'none' ? { key: 'hot', source } : {}))));
    expect(ofOne('none')).toEqual([]);
    expect(ofOne('local')).toContain('admission all fail');
  });
});

describe('a limiter that was told to refuse without its store', () => {
  it('passes when it does', () => {
    expect(said(judge(buildHistory(closed)))).toEqual([]);
  });

  it('fails when it allows a single request', () => {
    const allowing = { status: 200, outcome: 'allowed' } as const;
    expect(said(judge(changed(closed, oneAt(3000)(allowing))))).toEqual(['availability all fail']);
  });

  it('fails when it fails in any other way', () => {
    expect(said(judge(changed(closed, oneAt(3000)({ source: null, outcome: 'failed' }))))).toEqual([
      'availability all fail',
    ]);
  });
});

it('nobody who was not told to may answer without a bucket', () => {
  expect(said(judge(changed({}, oneAt(3000)({ source: 'none', remaining: null }))))).toEqual(['availability all fail']);
});

describe('a budget', () => {
  it('passes when the fallback decides from its end on', () => {
    expect(said(judge(buildHistory(budgeted(untilMs(budgetMs)))))).toEqual([]);
  });

  it('fails when it is overdrawn by a tenth of a second', () => {
    expect(said(judge(buildHistory(budgeted(untilMs(budgetMs + 100)))))).toContain('availability all fail');
  });

  it('fails when it is not used, or given up too soon', () => {
    expect(said(judge(buildHistory(budgeted(untilMs(2000)))))).toEqual(['fails-open fault fail']);
    expect(said(judge(buildHistory(budgeted({ source: 'local' }, { source: 'local' }))))).toEqual([
      'fails-open onset fail',
      'fails-open fault fail',
    ]);
  });

  it('may have been used up by an outage that began less than 10 s before', () => {
    const early = answer(8000, { instance: 'limiter-1', key: 'early', source: 'none', remaining: null });
    const other = { ...early, instance: 'limiter-2' };
    const isOver = { source: 'local' } as const;
    const answers = [early, other];
    expect(said(judge(buildHistory({ ...budgeted(isOver, isOver), answers })))).toEqual(['fails-open onset unknown']);
    const anew = said(judge(buildHistory({ ...budgeted(untilMs(budgetMs)), answers })));
    expect(anew).toContain('availability all fail');
  });

  it('of an outage in the first 10 s may have begun to run before the record did', () => {
    const phases = { onset: { source: 'local' }, fault: { source: 'local' } } as const;
    const told = { answer: 'allow', forMs: 5000 } as const;
    expect(said(judge(buildHistory({ withoutStore: told, phases })))).toEqual(['fails-open onset unknown']);
    expect(said(judge(buildHistory({ withoutStore: told, phases: { onset: none, fault: none } })))).toEqual([]);
  });
});

describe('an answer without a bucket where nothing cuts Redis off', () => {
  const scrapes = (failed: (s: number) => number) =>
    Array.from({ length: 8 }, (_, s) => storeErrors('limiter-1', s * 1000, { timeout: failed(s) }));
  const stray = answer(4500, { key: 'stray', source: 'none', remaining: null });
  const spec = (failed: (s: number) => number): HistorySpec => ({
    ...allow,
    fault: null,
    breaker: [],
    phases: [{ name: 'baseline', ms: 8000 }],
    answers: [stray],
    storeErrors: scrapes(failed),
  });

  it('is wrong when the instance counted no call that failed', () => {
    expect(said(judge(buildHistory(spec(() => 3))))).toEqual(['availability all fail']);
  });

  it('is right when one failed, as noise has it', () => {
    expect(said(judge(buildHistory(spec((s) => (s < 5 ? 3 : 4)))))).toEqual([]);
  });

  it.each([
    ['a scrape may have been answered late', { storeErrors: scrapes((s) => (s < 4 ? 3 : 4)) }],
    ['nobody counted', { storeErrors: [] }],
    ['the breaker moved', { breaker: [move('limiter-1', 4400, 'closed', 'open')] }],
    ['the breaker was open', { breaker: [move('limiter-1', 100, 'closed', 'open')] }],
    ['the counts end before it', { storeErrors: scrapes(() => 3).slice(0, 5) }],
  ])('is not surely wrong when %s', (_, changes) => {
    expect(hadStoreIn(buildHistory({ ...spec(() => 3), ...changes }))(stray)).toBe(false);
  });
});
