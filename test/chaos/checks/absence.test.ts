// An instance that a fault made unable to answer: what is excused, and what is not.

import { describe, expect, it } from 'vitest';
import { admission } from '../../../chaos/checks/admission.ts';
import { availability } from '../../../chaos/checks/availability.ts';
import { breaker } from '../../../chaos/checks/breaker.ts';
import { contradictionsIn } from '../../../chaos/checks/breaker-words.ts';
import { type Check, runChecks } from '../../../chaos/checks/check.ts';
import { failsOpen } from '../../../chaos/checks/fails-open.ts';
import { fleet } from '../../../chaos/checks/fleet.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { isolation } from '../../../chaos/checks/isolation.ts';
import { latency } from '../../../chaos/checks/latency.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import type { AnswerEvent, FaultEvent, History } from '../../../chaos/history.ts';
import { buildHistory, type HistorySpec, historyWith, usualBounds } from '../../support/history-builder.ts';
import { answer, fault, move } from '../../support/history-events.ts';

const hit = 'limiter-1';
const other = 'limiter-2';
/** The builder gives the first instance every other request. */
const ofHit = <T>(its: T, others: T) => ({ each: (i: number): T => (i % 2 === 0 ? its : others) });
const lost = { status: ofHit(0, 200).each, source: 'shared' } as const;
const sound = { source: 'shared' } as const;

/** From 1 s to 5 s, in `onset` and `fault`, the first instance loses all that is sent to it. */
const absent = (changes: HistorySpec['phases'] = {}, spec: HistorySpec = {}): History =>
  buildHistory({
    fault: { kind: 'instance-kill' },
    phases: { onset: { ...lost, rate: 1200 }, fault: { ...lost }, ...changes },
    breaker: [],
    ...spec,
  });
const verdictOf = (check: Check, history: History) => check.judge(history).map(({ verdict }) => verdict);
const event = (kind: string, action: FaultEvent['action'], atMs: number, endMs = atMs + 1) =>
  fault(action, atMs, { ...faultOf({ kind }).facts(usualBounds), target: hit, endMs });

describe('an instance that cannot answer', () => {
  it('is excused for what is lost meanwhile, and everything else passes', () => {
    const results = runChecks(checks, absent());
    expect(results.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown')).toEqual([]);
    expect(results.filter(({ name }) => name === 'isolation').map(({ phase }) => phase)).toContain('fault');
  });

  it('is not excused by a fault that only cuts it off', () => {
    expect(verdictOf(availability, absent({}, { fault: { kind: 'partition' } }))).toEqual(['fail']);
  });

  it.each([
    ['before', { baseline: { ...lost } }],
    ['after', { recovered: { ...lost } }],
  ])('is not excused for what is lost %s', (_when, changes) => {
    expect(verdictOf(availability, absent(changes))).toEqual(['fail']);
  });

  it('has to answer again 10 s after it was told to: nothing is told of one that is late, and one that never does fails', () => {
    const faults = [event('instance-kill', 'inject', 1000), event('instance-kill', 'heal', 5000, 15_001)];
    const late = { heal: { ...lost, ms: 12_000 } };
    const returned = absent(late, { faults });
    expect(availability.judge(returned)[0]).toMatchObject({ verdict: 'unknown', measured: 600 });
    expect(runChecks(checks, returned).filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    const never = { ...late, recovered: { ...lost } };
    const failed = { verdict: 'fail', detail: expect.stringContaining('at 15.00') };
    expect(availability.judge(absent(never, { faults }))[0]).toMatchObject(failed);
    expect(verdictOf(latency, absent(never, { faults }))).toContain('fail');
  });

  it('is not failed by never answering again where the machine may be why: it is slow to start a process', () => {
    const faults = [event('instance-kill', 'inject', 1000), event('instance-kill', 'heal', 5000, 15_001)];
    const judged = (controlLatencyMs: number) => {
      const heal = { ...lost, ms: 12_000, controlLatencyMs };
      const results = runChecks(checks, absent({ heal, recovered: { ...lost, controlLatencyMs } }, { faults }));
      const names = (verdict: string) => results.filter((it) => it.verdict === verdict).map(({ name }) => name);
      return { failed: names('fail'), unknown: names('unknown') };
    };
    expect(judged(20)).toMatchObject({ failed: [], unknown: expect.arrayContaining(['availability']) });
    expect(judged(1).failed).toContain('availability');
  });

  it('takes no time to judge that grows with each request it left without an answer', () => {
    const faults = [event('instance-kill', 'inject', 1000), event('instance-kill', 'heal', 5000, 15_001)];
    const never = { ...lost, ms: 12_000, rate: 2000 };
    const history = absent({ heal: never, recovered: { ...lost, rate: 2000 } }, { faults });
    const cpuMs = (work: () => unknown) => {
      const before = process.threadCpuUsage().user;
      work();
      return (process.threadCpuUsage().user - before) / 1000;
    };
    const writingMs = cpuMs(() => JSON.stringify(history.answers));
    expect(cpuMs(() => availability.judge(history))).toBeLessThan(10 * writingMs);
  });

  it('is not failed by what its clients gave up just after, where the machine may be why', () => {
    const judged = (sentMs: number, controlLatencyMs: number, error = 'no answer within 10 s') => {
      const lost = answer(sentMs, { instance: hit, status: 0, source: null, receivedMs: sentMs + 10_100, error });
      const phases = { baseline: { controlLatencyMs }, recovered: { controlLatencyMs } };
      const results = runChecks(checks, absent(phases, { answers: Array.from({ length: 40 }, () => lost) }));
      return results.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name);
    };
    expect(judged(5100, 20)).toEqual([]);
    expect(judged(5100, 1)).toContain('availability');
    expect(judged(7500, 20)).toContain('availability');
    expect(judged(5100, 20, 'read ECONNRESET')).toContain('availability');
  });

  it('excuses no other instance', () => {
    const both = { onset: { status: 0 }, fault: { ...lost } };
    expect(availability.judge(absent(both))[0]).toMatchObject({ verdict: 'fail', measured: 300 });
    const turned = { fault: { ...lost, source: ofHit(null, 'local' as const).each } };
    expect(verdictOf(isolation, absent(turned))).toContain('fail');
  });

  it('is excused for what is late, and no other instance is', () => {
    const late = (its: number, others: number) => ({ ...sound, latencyMs: ofHit(its, others).each });
    const stopped = (changes: HistorySpec['phases']) => absent(changes, { fault: { kind: 'instance-stop' } });
    expect(
      verdictOf(latency, stopped({ onset: { ...late(3000, 1), rate: 1200 }, fault: late(3000, 1) })),
    ).not.toContain('fail');
    expect(verdictOf(latency, stopped({ onset: { ...late(3000, 40), rate: 1200 }, fault: sound }))).toContain('fail');
  });

  it('may say of its breaker that it stayed open for as long as it stood still', () => {
    const moves = [move(hit, 990, 'closed', 'open'), move(hit, 5010, 'open', 'half-open')];
    const back = move(hit, 5015, 'half-open', 'closed');
    const spec = (kind: string): HistorySpec => ({ fault: { kind }, breaker: [...moves, back] });
    expect(verdictOf(breaker, absent({}, spec('instance-stop')))).toEqual(['pass']);
    // Of one that is there, requests came; one that is away may have had none.
    expect(verdictOf(breaker, absent({ fault: sound }, spec('partition')))).toEqual(['fail']);
  });

  it('is not open for less time because it stood still for most of it', () => {
    const each = [1000, 2500, 4000];
    const faults = each.flatMap((ms) => [
      event('instance-stop', 'inject', ms),
      event('instance-stop', 'heal', ms + 800),
    ]);
    const openedFor = (ms: number) =>
      each.flatMap((atMs) => [
        move(hit, atMs + 100, 'closed', 'open'),
        move(hit, atMs + 100 + ms, 'open', 'half-open'),
        move(hit, atMs + 105 + ms, 'half-open', 'closed'),
      ]);
    const tooShort = (ms: number) =>
      contradictionsIn(absent({}, { faults, breaker: openedFor(ms) })).filter(({ detail }) => detail.includes('less'));
    expect(tooShort(900)).toEqual([]);
    expect(tooShort(100)).toMatchObject([{ detail: expect.stringContaining('3 times for less than half') }]);
  });
});

describe('the fallback buckets of an instance', () => {
  const burst = (atMs: number, instance = hit): AnswerEvent[] =>
    Array.from({ length: 5 }, (_, i) => answer(atMs + i, { instance, source: 'local', remaining: 4 - i }));
  const history = (kind: string, answers: AnswerEvent[], atMs: readonly number[]) =>
    historyWith(answers, {
      faults: atMs.flatMap((ms) => [event(kind, 'inject', ms), event(kind, 'heal', ms + 400)]),
    });
  const twice = [...burst(1000), ...burst(2000)];
  const thrice = [...twice, ...burst(3000)];

  it.each<[string, string, AnswerEvent[], number[], string]>([
    ['are full again after it was killed', 'instance-kill', twice, [1500], 'pass'],
    ['are not after it stood still', 'instance-stop', twice, [1500], 'fail'],
    ['are once for each time', 'instance-kill', thrice, [1500, 2500], 'pass'],
    ['are not more often', 'instance-kill', thrice, [1500], 'fail'],
    ['are not those of another', 'instance-kill', [...burst(1000, other), ...burst(2000, other)], [1500], 'fail'],
  ])('%s', (_what, kind, answers, atMs, verdict) => {
    const judged = history(kind, answers, atMs);
    expect([admission, fleet].flatMap((check) => verdictOf(check, judged))).toEqual([verdict, verdict]);
  });
});

describe('an instance that is full', () => {
  const full = (changes: HistorySpec['phases'] = {}) => absent(changes, { fault: { kind: 'open-files' } });

  it('is excused for what finds no connection, and for what is late', () => {
    const late = { ...sound, latencyMs: ofHit(2000, 1).each };
    for (const history of [full(), full({ onset: { ...late, rate: 1200 }, fault: { ...late } })]) {
      const failed = runChecks(checks, history).filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown');
      expect(failed).toEqual([]);
    }
  });

  it('is not excused for an answer that is none, and does not pass by answers without Redis, which it has', () => {
    const broken = { status: ofHit(503, 200).each, source: 'shared' } as const;
    expect(verdictOf(availability, full({ fault: broken }))).toEqual(['fail']);
    const turned = { source: ofHit<AnswerEvent['source']>('local', 'shared').each };
    expect(verdictOf(failsOpen, full({ fault: turned }))).toContain('unknown');
  });

  it('is not excused for what is lost once it has recovered', () => {
    expect(verdictOf(availability, full({ recovered: { ...lost } }))).toEqual(['fail']);
  });
});

describe('an instance that gets too little processor time', () => {
  const kind = { fault: { kind: 'cpu-hog', count: 8 } };
  const starved = (changes: HistorySpec['phases'] = {}, spec: HistorySpec = {}) =>
    absent({ onset: { ...sound, rate: 1200 }, fault: { ...sound }, ...changes }, { ...kind, ...spec });
  const slow = {
    source: ofHit<AnswerEvent['source']>('local', 'shared').each,
    latencyMs: ofHit(2000, 1).each,
  };

  it('is excused for what is late, and may answer by its fallback; everything else passes', () => {
    const results = runChecks(checks, starved({ onset: { ...slow, rate: 1200 }, fault: slow }));
    expect(results.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown')).toEqual([]);
    expect(results.filter(({ name }) => name === 'isolation').map(({ verdict }) => verdict)).toContain('pass');
  });

  it('is not excused for an answer that is none, nor for what is late or of the fallback once it has recovered', () => {
    const broken = { status: ofHit(503, 200).each, source: 'shared' } as const;
    expect(verdictOf(availability, starved({ fault: broken }))).toEqual(['fail']);
    expect(verdictOf(latency, starved({ recovered: { ...slow, rate: 1200 } }))).toContain('fail');
    expect(verdictOf(failsOpen, starved({ recovered: { source: 'local' } }))).toContain('fail');
  });

  it('is excused for what its clients gave up, and for nothing else that is lost', () => {
    const without = (error: string) =>
      starved({}, { answers: [answer(2500, { instance: hit, status: 0, source: null, error })] });
    expect(verdictOf(availability, without('no answer within 10 s'))).toEqual(['pass']);
    expect(verdictOf(availability, without('read ECONNRESET'))).toEqual(['fail']);
  });

  it('excuses no other instance', () => {
    const other = { source: ofHit<AnswerEvent['source']>('shared', 'local').each };
    expect(verdictOf(isolation, starved({ fault: other }))).toContain('fail');
    const late = { ...sound, latencyMs: ofHit(1, 40).each };
    expect(verdictOf(latency, starved({ fault: late }))).toContain('fail');
  });

  it('may be late to ask again by its breaker', () => {
    const moves = [move(hit, 1100, 'closed', 'open'), move(hit, 4900, 'open', 'half-open')];
    const back = move(hit, 4905, 'half-open', 'closed');
    expect(verdictOf(breaker, starved({}, { breaker: [...moves, back] }))).toEqual(['pass']);
  });
});
