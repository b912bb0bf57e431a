// A clock of Redis that is set back: every bucket may be found empty, once, whenever it is next asked. Histories of limiters
// that do so, and of some that do worse. Buckets of 10 tokens that refill 2 a second.

import { describe, expect, it } from 'vitest';
import { admission } from '../../../chaos/checks/admission.ts';
import type { Check } from '../../../chaos/checks/check.ts';
import { ghostTakes } from '../../../chaos/checks/ghost-takes.ts';
import { needlessRefusal } from '../../../chaos/checks/needless-refusal.ts';
import { retryAfter } from '../../../chaos/checks/retry-after.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import { historyWith } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

const setBack = fault('inject', 1000, {
  fault: 'clock-back',
  effect: 'none',
  state: 'perhaps-emptied',
  target: 'redis',
  reach: 'shared-store',
});
const told = (atMs: number, remaining: number, changes: Partial<AnswerEvent> = {}) =>
  answer(atMs, { remaining, ...changes });
const refused = (atMs: number, retryAfterS = 1, changes: Partial<AnswerEvent> = {}) =>
  answer(atMs, { status: 429, remaining: 0, retryAfterS, ...changes });
const each500 = (fromMs: number, toMs: number) =>
  Array.from({ length: Math.floor((toMs - fromMs) / 500) }, (_, i) => refused(fromMs + 500 * i));

const checks = [admission, needlessRefusal, ghostTakes, retryAfter];
const failedBy = (answers: readonly AnswerEvent[], faults = [setBack]): string[] => {
  const history = historyWith(answers, { faults });
  return checks.filter((check: Check) => check.judge(history)[0]?.verdict === 'fail').map(({ name }) => name);
};
/** Of a bucket with 9 tokens. */
const before = told(500, 9);
/** Which take all that a bucket holds. */
const ten = Array.from({ length: 10 }, (_, i) => told(900 + i, 9 - i));

describe('a bucket that the clock of Redis may have emptied', () => {
  it.each([
    ['at once', [before, refused(1100), told(1700, 0), refused(1800), told(2300, 0)]],
    ['when it is asked for the first time', [before, refused(20_000), told(20_600, 0)]],
    [
      'between two refusals of one that had nothing left',
      [...ten, refused(950), refused(1100), refused(1500), told(1700, 0)],
    ],
    ['by a take that is under way', [before, refused(990, 1, { receivedMs: 1010 }), told(1700, 0)]],
    ['not at all', [before, told(1100, 9), told(1200, 8)]],
  ])('is held against nobody: %s', (_when, answers) => {
    expect(failedBy(answers)).toEqual([]);
  });

  it('fails one who finds it empty with the clock as it was', () => {
    expect(failedBy([before, refused(1100), told(1700, 0)], [])).toEqual(['needless-refusal', 'ghost-takes']);
  });

  it('fails one who waits until the future has come: refused as long as it lasts, and told to come soon', () => {
    expect(failedBy([before, ...each500(1100, 9000)])).toEqual(['needless-refusal', 'retry-after']);
  });

  it('fails one who finds it empty twice', () => {
    expect(failedBy([before, refused(1100), told(1700, 0), refused(4000)])).toContain('needless-refusal');
    expect(failedBy([before, refused(1100), told(1700, 0), told(4000, 0)])).toEqual(['ghost-takes']);
  });

  it('fails one who fills it', () => {
    expect(
      failedBy([...ten, ...ten.map((it) => ({ ...it, sentMs: it.sentMs + 200, receivedMs: it.sentMs + 201 }))]),
    ).toEqual(['admission']);
  });

  it('is one of the shared Redis alone: fallbacks and the control have their own clocks', () => {
    const fallback = { source: 'local' } as const;
    expect(failedBy([refused(1100, 1, fallback)])).toEqual(['needless-refusal']);
    expect(failedBy([refused(1100, 1, { instance: 'limiter-control' })])).toEqual(['needless-refusal']);
  });

  it('is judged again after it, however often the clock is set', () => {
    const again = { ...setBack, beginMs: 10_000, endMs: 10_001 };
    const answers = [before, refused(1100), told(1700, 0), told(8000, 9), refused(10_100), told(10_700, 0)];
    expect(failedBy(answers, [setBack, again])).toEqual([]);
    expect(failedBy([...answers, refused(13_000)], [setBack, again])).toContain('needless-refusal');
  });
});
