import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usualDriftRatio } from '../../../chaos/bounds.ts';
import { needlessRefusal, wrongRefusals } from '../../../chaos/checks/needless-refusal.ts';
import type { Source } from '../../../chaos/checks/sources.ts';
import type { AnswerEvent, FaultEvent } from '../../../chaos/history.ts';
import { failover, placement } from '../../support/failover-history.ts';
import { type TrueBucket, trueBucket } from '../../support/history-bucket.ts';
import { buildHistory, historyWith } from '../../support/history-builder.ts';
import { answer, fault, move } from '../../support/history-events.ts';

const refused = { status: 429, remaining: 0 };
const burst = (count: number, atMs: number, changes: Partial<AnswerEvent> = {}) =>
  Array.from({ length: count }, () => answer(atMs, changes));

function sourceOf({ capacity, refillPerSecond, answers }: TrueBucket, uncertain: AnswerEvent[] = []): Source {
  return {
    name: 'the store',
    key: 'k0',
    isFallback: false,
    capacity,
    refillPerSecond,
    driftRatio: usualDriftRatio,
    admits: answers.filter(({ status }) => status === 200),
    rejects: answers.filter(({ status }) => status === 429),
    uncertain,
    told: [],
    emptied: [],
    former: undefined,
    mayContinue: false,
  };
}

describe('the needless-refusal check', () => {
  it('does not judge the fallbacks when there are more keys than they keep buckets for, since strangers may share one then', () => {
    const keys = Array.from({ length: 60 }, (_, i) => answer(i, { key: `k${i}`, source: 'local' }));
    const answers = [...keys, answer(100, { key: 'k100', source: 'local', ...refused })];
    const judged = (fallbackKeysMax: number) =>
      needlessRefusal.judge(historyWith(answers, { bounds: { fallbackKeysMax } }))[0];
    expect(judged(1000)).toMatchObject({ verdict: 'fail', measured: 1 });
    expect(judged(50)).toMatchObject({
      verdict: 'pass',
      measured: 0,
      detail: 'nothing was refused; 1 by fallbacks whose buckets keys may share are not judged',
    });
    const byRedis = [...keys, answer(100, { key: 'k100', ...refused })];
    const [still] = needlessRefusal.judge(historyWith(byRedis, { bounds: { fallbackKeysMax: 50 } }));
    expect(still).toMatchObject({ verdict: 'fail', measured: 1 });
  });

  it('passes a run in which nothing was refused', () => {
    expect(needlessRefusal.judge(buildHistory())).toEqual([
      {
        name: 'needless-refusal',
        phase: 'all',
        verdict: 'pass',
        measured: 0,
        limit: 0,
        unit: 'refusals',
        detail: 'nothing was refused',
      },
    ]);
  });

  it('passes the refusal of a bucket that was just emptied', () => {
    const [result] = needlessRefusal.judge(historyWith([...burst(10, 0), answer(5, refused)]));
    expect(result).toMatchObject({ verdict: 'pass', measured: 0, detail: '1 refusals, each with too few tokens' });
  });

  it('fails the refusal of a full bucket, and tells how many tokens were left', () => {
    const [result] = needlessRefusal.judge(historyWith([answer(1500, refused)]));
    expect(result).toMatchObject({
      verdict: 'fail',
      measured: 1,
      detail: 'the store refused key k0 at 1.500 s with at least 10.00 tokens left',
    });
  });

  it('fails the refusal of a bucket that has had time to refill', () => {
    const later = (atMs: number) => needlessRefusal.judge(historyWith([...burst(10, 0), answer(atMs, refused)]));
    expect(later(490)).toMatchObject([{ verdict: 'pass' }]);
    expect(later(600)).toMatchObject([{ verdict: 'fail' }]);
  });

  it('charges takes that Redis may have executed although the fallback answered', () => {
    const unsure = burst(10, 0, { source: 'local' });
    expect(needlessRefusal.judge(historyWith([...unsure, answer(5, refused)]))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('does not charge takes that an open breaker kept from Redis', () => {
    const kept = burst(4, 100, { source: 'local' });
    const breaker = [move('limiter-1', 50, 'closed', 'open')];
    const [result] = needlessRefusal.judge(historyWith([...kept, answer(105, refused)], { breaker }));
    expect(result).toMatchObject({ verdict: 'fail', measured: 1 });
  });

  it('charges the take with which a half-open breaker asked Redis, and none before and after it', () => {
    const breaker = [
      move('limiter-1', 20, 'closed', 'open'),
      move('limiter-1', 1300, 'open', 'half-open'),
      move('limiter-1', 1310, 'half-open', 'open'),
    ];
    const judge = (takeMs: number) => {
      const take = answer(takeMs, { source: 'local' });
      const refusal = answer(1600, { ...refused, instance: 'limiter-2' });
      return needlessRefusal.judge(historyWith([...burst(10, 1000), take, refusal], { breaker }));
    };
    expect([1150, 1305, 1450].map((ms) => judge(ms)[0]?.verdict)).toEqual(['fail', 'pass', 'fail']);
  });

  it('charges requests that were under way at the same time', () => {
    const under = burst(10, 0, { receivedMs: 50 });
    const [result] = needlessRefusal.judge(historyWith([...under, answer(20, { ...refused, receivedMs: 30 })]));
    expect(result).toMatchObject({ verdict: 'pass' });
  });

  it('judges the fallback bucket of each instance by itself', () => {
    const fallback = { source: 'local' } as const;
    const emptied = burst(5, 0, fallback);
    const of = (instance: string) => answer(5, { ...refused, ...fallback, instance });
    expect(needlessRefusal.judge(historyWith([...emptied, of('limiter-1')]))).toMatchObject([{ verdict: 'pass' }]);
    expect(needlessRefusal.judge(historyWith([...emptied, of('limiter-2')]))).toMatchObject([
      { verdict: 'fail', detail: 'fallback of limiter-2 refused key k0 at 0.005 s with at least 5.00 tokens left' },
    ]);
  });

  it('charges the fallback of an instance, be it the control, with what it was asked and nobody heard of', () => {
    for (const instance of ['limiter-1', 'limiter-control']) {
      const its = { instance, source: 'local' } as const;
      const taken = burst(3, 0, its);
      const lost = burst(2, 2, { instance, status: 0, source: null });
      const refusal = answer(5, { ...refused, ...its });
      expect(needlessRefusal.judge(historyWith([...taken, ...lost, refusal]))[0]?.verdict).toBe('pass');
      expect(needlessRefusal.judge(historyWith([...taken, refusal]))[0]?.verdict).toBe('fail');
    }
  });

  it('is unknown when no request was decided', () => {
    expect(needlessRefusal.judge(historyWith([]))).toMatchObject([{ verdict: 'unknown' }]);
  });
});

describe('the needless-refusal check of a target that does not say who decided', () => {
  const judged = (answers: readonly AnswerEvent[], spec: Parameters<typeof historyWith>[1] = {}) => {
    const history = historyWith(
      answers.map((it) => ({ ...it, source: null })),
      spec,
    );
    return needlessRefusal.judge({ ...history, run: { ...history.run, gives: ['remaining'] } })[0];
  };
  const refusal = answer(1500, { ...refused, receivedMs: 1502 });

  it('fails the refusal of the first request for a key', () => {
    expect(judged([answer(100, { key: 'k1' }), refusal])).toMatchObject({
      verdict: 'fail',
      measured: 1,
      detail: 'limiter-1 refused the first request for key k0 at 1.500 s',
    });
    expect(judged([{ ...refusal, instance: 'limiter-control' }])).toMatchObject({ verdict: 'fail' });
  });

  it('fails it whatever the control, which has a store of its own, was asked', () => {
    expect(judged([answer(100, { instance: 'limiter-control' }), refusal])).toMatchObject({ verdict: 'fail' });
  });

  it('leaves out what any bucket may have refused: others had asked before, or asked meanwhile', () => {
    const detail = "no key's first request was refused, and the target does not say who decided the other 1 refusals";
    const others = [answer(100), answer(100, { instance: 'limiter-2', status: 503 }), answer(1501)];
    for (const other of others) expect(judged([other, refusal])).toMatchObject({ verdict: 'pass', detail });
  });

  it('leaves out what was refused once the buckets may have been found empty', () => {
    const emptied = (beginMs: number) => [
      fault('inject', beginMs, { fault: 'clock-back', target: 'redis', state: 'perhaps-emptied' }),
    ];
    expect(judged([refusal], { faults: emptied(1400) })).toMatchObject({ verdict: 'pass' });
    expect(judged([refusal], { faults: emptied(1600) })).toMatchObject({ verdict: 'fail' });
  });

  it('is not applicable where it may have no fallback, or keys may share one', () => {
    expect(judged([refusal], { bounds: { fallbackCapacity: 0 } })).toMatchObject({ verdict: 'not applicable' });
    expect(judged([refusal], { bounds: { fallbackKeysMax: 50 } })).toMatchObject({ verdict: 'not applicable' });
  });

  it('passes where nothing was refused, and is unknown where nobody asked', () => {
    expect(judged([answer(100)])).toMatchObject({ verdict: 'pass', detail: "no key's first request was refused" });
    expect(judged([])).toMatchObject({ verdict: 'unknown' });
  });
});

describe('wrong refusals', () => {
  it('are never found among those of a true bucket', () => {
    fc.assert(
      fc.property(trueBucket, (bucket) => {
        expect(wrongRefusals(sourceOf(bucket))).toEqual([]);
      }),
      { numRuns: 500, seed: 42 },
    );
  });

  it('are never found when some of the admissions were answered by the fallback in the meantime', () => {
    fc.assert(
      fc.property(trueBucket, fc.integer({ min: 1, max: 5 }), (bucket, nth) => {
        const whole = sourceOf(bucket);
        const uncertain = whole.admits.filter((_, i) => i % nth === 0);
        const admits = whole.admits.filter((_, i) => i % nth !== 0);
        expect(wrongRefusals({ ...whole, admits, uncertain })).toEqual([]);
      }),
      { numRuns: 500, seed: 42 },
    );
  });

  it('are not found where Redis executed a take only after its request was answered by the fallback', () => {
    // Ten tokens: one taken at 1,000 ms whose script arrives 300 ms late, nine more then; at 1,305 ms none is left.
    const uncertain = [answer(1000, { source: 'local', receivedMs: 1006 })];
    const admits = burst(9, 1301);
    const rejects = [answer(1305, refused)];
    const whole = sourceOf({ capacity: 10, refillPerSecond: 4, answers: [] }, uncertain);
    const late = { ...whole, admits, rejects };
    expect(wrongRefusals(late)).toEqual([]);
  });

  it('are not found where a fallback starts from the tokens that Redis had left for its instance, and only from those', () => {
    const told = [answer(1000, { remaining: 2 })];
    const fallback = sourceOf({ capacity: 5, refillPerSecond: 0.001, answers: [] });
    const rejects = [answer(1100, { ...refused, source: 'local' })];
    expect([
      wrongRefusals({ ...fallback, told, admits: burst(2, 1050, { source: 'local' }), rejects }),
      wrongRefusals({ ...fallback, told, admits: burst(1, 1050, { source: 'local' }), rejects: [] }),
      wrongRefusals({ ...fallback, admits: burst(2, 1050, { source: 'local' }), rejects }),
      wrongRefusals({ ...fallback, told: [answer(1000, { remaining: 4 })], admits: burst(2, 1050), rejects }),
    ]).toMatchObject([[], [], [{ level: expect.closeTo(3, 3) }], [{ level: expect.closeTo(2, 3) }]]);
  });

  it('are not found where the answer that told of the tokens reached its client after a later admission', () => {
    const told = [answer(1000, { remaining: 2, receivedMs: 1010 })];
    const fallback = sourceOf({ capacity: 5, refillPerSecond: 0.001, answers: [] });
    const rejects = [answer(1100, { ...refused, source: 'local' })];
    const admitsAt = (...ms: number[]) => ms.map((at) => answer(at, { source: 'local' }));
    expect([
      wrongRefusals({ ...fallback, told, admits: admitsAt(1003, 1020), rejects }),
      wrongRefusals({ ...fallback, told, admits: admitsAt(1003), rejects }),
      wrongRefusals({ ...fallback, told, admits: admitsAt(990), rejects }),
    ]).toMatchObject([[], [], [{ level: expect.closeTo(2, 3) }]]);
  });

  it('are not found where a denial repeats what Redis said before it forgot, until it would have had a token again', () => {
    const faults = [fault('inject', 2000, { state: 'lost' }), fault('heal', 3000)];
    const emptied = [...burst(10, 1900), answer(1950, refused)];
    const at = (ms: number) => needlessRefusal.judge(historyWith([...emptied, answer(ms, refused)], { faults }))[0];
    expect([at(2100)?.verdict, at(2450)?.verdict]).toEqual(['pass', 'fail']);
  });

  it('are not found where it repeats what Redis said before it forgot twice', () => {
    const faults = [2000, 2100].map((ms) => fault('inject', ms, { state: 'lost' }));
    const emptied = [...burst(10, 1900), answer(1950, refused)];
    const at = (ms: number) => needlessRefusal.judge(historyWith([...emptied, answer(ms, refused)], { faults }))[0];
    expect([at(2200)?.verdict, at(2450)?.verdict]).toEqual(['pass', 'fail']);
  });

  it('are not found where takes without an answer emptied the bucket just before Redis forgot it', () => {
    const faults = [fault('inject', 1010, { state: 'lost' })];
    const unheard = burst(10, 1000, { source: 'local', instance: 'limiter-2', receivedMs: 1012 });
    const heardLate = burst(10, 1000, { instance: 'limiter-2', receivedMs: 1012 });
    const reject = answer(1004, refused);
    expect(
      [unheard, heardLate, []].map(
        (takes) => needlessRefusal.judge(historyWith([...takes, reject], { faults }))[0]?.verdict,
      ),
    ).toEqual(['pass', 'pass', 'fail']);
  });

  it.each([1, 2, 3, 10, 100])('are always found where a bucket of %i was full', (capacity) => {
    const source = { ...sourceOf({ capacity, refillPerSecond: 2, answers: [] }), rejects: [answer(1000, refused)] };
    expect(wrongRefusals(source)).toMatchObject([{ level: capacity }]);
  });

  it('are always found where the bucket had been left alone until it was full again', () => {
    fc.assert(
      fc.property(trueBucket, fc.integer({ min: 0, max: 5000 }), (bucket, afterMs) => {
        fc.pre(bucket.capacity > 1);
        const source = sourceOf(bucket);
        const lastMs = Math.max(...bucket.answers.map(({ receivedMs }) => receivedMs));
        const fullMs = lastMs + (bucket.capacity / bucket.refillPerSecond) * 1001 + afterMs;
        const rejects = [answer(fullMs, refused)];
        expect(wrongRefusals({ ...source, rejects })).toHaveLength(1);
      }),
      { seed: 42 },
    );
  });

  it('are not found where a replica took over and knew what had been taken before, and are where nothing was', () => {
    // 2 tokens a second: emptied at 900 ms and killed at 1,000 ms, the bucket holds 3.4 tokens at 2,600 ms, and admits 3.
    const faults = [fault('inject', 1000, { fault: 'master-kill', state: 'perhaps-lost' }), fault('heal', 5000)];
    const history = (before: AnswerEvent[]) =>
      historyWith([...before, ...burst(3, 2600), answer(2650, refused)], { faults, placement, failover });
    expect([burst(10, 900), []].map((before) => needlessRefusal.judge(history(before))[0]?.verdict)).toEqual([
      'pass',
      'fail',
    ]);
    const lost = faults.map((it) => ({ ...it, state: 'lost' as const }));
    const empty = historyWith([...burst(10, 900), ...burst(3, 2600), answer(2650, refused)], { faults: lost });
    expect(needlessRefusal.judge(empty)[0]?.verdict).toBe('fail');
  });

  it('are not found where some buckets were lost twice, and this one neither time', () => {
    // 2 tokens a second: emptied at 900 ms, the bucket holds 3.4 tokens at 2,600 ms, and admits 3.
    const evicted = (atMs: number) =>
      fault('inject', atMs, { fault: 'evict', effect: 'none', state: 'perhaps-lost', reach: 'shared-store' });
    const history = (before: AnswerEvent[], faults: FaultEvent[]) =>
      historyWith([...before, ...burst(3, 2600), answer(2650, refused)], { faults });
    const twice = [evicted(1000), evicted(1500)];
    expect(needlessRefusal.judge(history(burst(10, 900), twice))[0]?.verdict).toBe('pass');
    expect(needlessRefusal.judge(history([], twice))[0]?.verdict).toBe('fail');
    const lostBefore = [{ ...evicted(1000), state: 'lost' as const }, evicted(1500)];
    expect(needlessRefusal.judge(history(burst(10, 900), lostBefore))[0]?.verdict).toBe('fail');
  });
});
