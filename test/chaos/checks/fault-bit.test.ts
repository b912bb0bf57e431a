import { describe, expect, it } from 'vitest';
import { notApplicable, runChecks, worstOf } from '../../../chaos/checks/check.ts';
import { bit, faultBit } from '../../../chaos/checks/fault-bit.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { windowsOf } from '../../../chaos/checks/windows.ts';
import type { ProbeEvent } from '../../../chaos/history.ts';
import { buildHistory, type HistorySpec } from '../../support/history-builder.ts';
import { fault, probe, storeUse } from '../../support/history-events.ts';

const judge = (spec: HistorySpec = {}) => faultBit.judge(buildHistory(spec));

/** What each link shows: before the fault, during it, after it. */
const probes = (first: [string, string], second: [string, string], control = 'healthy' as const) =>
  [
    ['limiter-1', ...first] as const,
    ['limiter-2', ...second] as const,
    ['limiter-control', control, 'healthy'] as const,
  ].flatMap(([name, during, after]) => [
    probe(name, 10, 'healthy'),
    probe(name, 2010, name === 'limiter-control' ? 'healthy' : 'broken', during as 'broken'),
    probe(name, 5010, 'healthy', after as 'healthy'),
  ]);

const seen: [string, string] = ['broken', 'healthy'];

describe('the fault-bit check', () => {
  it('passes when a probe saw the fault on every link, and saw it gone', () => {
    expect(judge()).toEqual([
      {
        name: 'fault-bit',
        phase: 'fault',
        verdict: 'pass',
        measured: 2,
        limit: 2,
        unit: 'links',
        detail: 'seen on every link, and seen gone',
      },
    ]);
  });

  it('looks at what only observes the limiters by itself, and at no limiter', () => {
    const facts = { fault: 'prometheus-gone', effect: 'none', reach: 'observers', target: 'prometheus' } as const;
    const seen = (during: 'broken' | 'healthy') =>
      faultBit.judge(
        buildHistory({
          fault: { kind: 'prometheus-gone' },
          faults: [fault('inject', 1000, facts), fault('heal', 5000, facts)],
          probes: [probe('prometheus', 2010, 'broken', during), probe('prometheus', 5010, 'healthy')],
        }),
      );
    expect(seen('broken')).toMatchObject([{ verdict: 'pass', measured: 1, limit: 1 }]);
    expect(seen('healthy')).toMatchObject([{ verdict: 'unknown', detail: 'not seen on prometheus' }]);
  });

  it('looks for a fault of the store at no observer of the limiters, whose own lasts meanwhile', () => {
    const gone = { fault: 'prometheus-gone', effect: 'none', reach: 'observers', target: 'prometheus' } as const;
    const killed = { fault: 'redis-kill', reach: 'shared-store', target: 'redis' } as const;
    const all = [
      ...[fault('inject', 1000, killed), fault('heal', 5000, killed)],
      ...[fault('inject', 3000, gone), fault('heal', 4600, gone)],
    ];
    const observed = [probe('prometheus', 3510, 'broken'), probe('prometheus', 4610, 'healthy')];
    expect(judge({ faults: all, probes: [...probes(seen, seen), ...observed] })).toMatchObject([
      { verdict: 'pass', measured: 3, limit: 3 },
    ]);
  });

  it('is unknown when the limiter does not use the Redis that is broken', () => {
    const unused = buildHistory({ storeUse: [storeUse(0)] });
    expect(faultBit.judge(unused)).toMatchObject([
      {
        verdict: 'unknown',
        measured: 0,
        detail: 'the control never used its Redis: the limiter does not use the one that it is given',
      },
    ]);
    expect(windowsOf(unused).map((window) => bit(unused, window))).toEqual([false, false]);
    expect(faultBit.judge(buildHistory({ storeUse: [storeUse(1)] }))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('passes a limiter without Redis where something else is broken', () => {
    const facts = { fault: 'half-open', effect: 'none', reach: 'front-links' } as const;
    const faults = ['limiter-1', 'limiter-2'].flatMap((target) => [
      ...[fault('inject', 1000, { ...facts, target }), fault('heal', 5000, { ...facts, target })],
    ]);
    expect(faultBit.judge(buildHistory({ faults, storeUse: [storeUse(0)] }))).toMatchObject([{ verdict: 'pass' }]);
  });

  it('is unknown when the fault was never seen', () => {
    const never: [string, string] = ['healthy', 'healthy'];
    expect(judge({ probes: probes(never, never) })).toMatchObject([
      { verdict: 'unknown', measured: 0, limit: 2, detail: 'not seen on limiter-1, limiter-2' },
    ]);
  });

  it('is unknown when one link was spared', () => {
    expect(judge({ probes: probes(seen, ['healthy', 'healthy']) })).toMatchObject([
      { verdict: 'unknown', measured: 1, detail: 'not seen on limiter-2' },
    ]);
  });

  it('is unknown when the link was broken otherwise than this fault breaks it', () => {
    expect(judge({ probes: probes(seen, ['other', 'healthy']) })).toMatchObject([
      { verdict: 'unknown', measured: 1, detail: 'not seen on limiter-2' },
    ]);
  });

  it('is unknown when the fault came and went', () => {
    const blink = [...probes(seen, seen), probe('limiter-2', 3000, 'broken', 'healthy')];
    expect(judge({ probes: blink })).toMatchObject([{ verdict: 'unknown', detail: 'not seen on limiter-2' }]);
  });

  it('is unknown when the fault was not seen to go', () => {
    expect(judge({ probes: probes(seen, ['broken', 'broken']) })).toMatchObject([
      { verdict: 'unknown', measured: 2, detail: 'not seen gone on limiter-2' },
    ]);
  });

  it('does not take the look before the fault for one after it', () => {
    const before = probes(seen, seen).filter(({ atMs }) => atMs < 5000);
    expect(judge({ probes: before })).toMatchObject([
      { verdict: 'unknown', detail: 'not seen gone on limiter-1, limiter-2' },
    ]);
  });

  it('is unknown when the control was hit as well', () => {
    expect(judge({ probes: probes(seen, seen, 'broken' as 'healthy') })).toMatchObject([
      { verdict: 'unknown', detail: 'the control arm was hit as well: broken after 1.0 ms' },
    ]);
  });

  it('takes what one look at the control saw for noise where another in the same fault saw nothing', () => {
    const looks = probes(seen, seen, 'broken' as 'healthy');
    const [hit] = looks.filter(({ instance }) => instance === 'limiter-control');
    const again = { ...(hit as ProbeEvent), atMs: 2600, seen: 'healthy' } as const;
    expect(judge({ probes: [...looks, again] })).toMatchObject([{ verdict: 'pass' }]);
    const later = { ...again, atMs: 6000 }; // after the fault
    expect(judge({ probes: [...looks, later] })).toMatchObject([{ verdict: 'unknown' }]);
  });

  it('asks for no look at a fault that was never alone for long enough', () => {
    const both = (action: 'inject' | 'heal', ms: number, kind: string) =>
      ['limiter-1', 'limiter-2'].map((target) => fault(action, ms, { target, fault: kind }));
    const during = (secondMs: number) => [
      ...[...both('inject', 1000, 'partition'), ...both('inject', secondMs, 'redis-kill')],
      ...[...both('heal', 4900, 'partition'), ...both('heal', 5000, 'redis-kill')],
    ];
    const looks = [...probes(seen, seen)].map((it) => (it.expected === 'broken' ? { ...it, atMs: 1900 } : it));
    expect(judge({ faults: during(2000), probes: looks })).toMatchObject([{ verdict: 'pass' }]);
    const early = looks.map((it) => (it.expected === 'broken' ? { ...it, atMs: 900 } : it));
    expect(judge({ faults: during(3000), probes: early })).toMatchObject([
      { verdict: 'unknown', detail: 'partition at 1.000 s was not seen on limiter-1' },
    ]);
  });

  it('is unknown without any probe', () => {
    expect(judge({ probes: [] })).toMatchObject([{ verdict: 'unknown', measured: 0 }]);
  });

  it('never fails: a fault that did not bite is no fault of the limiter', () => {
    const outcomes = ['healthy', 'broken', 'other'] as const;
    const verdicts = outcomes.flatMap((during) =>
      outcomes.flatMap((after) => judge({ probes: probes([during, after], seen) }).map(({ verdict }) => verdict)),
    );
    expect(new Set(verdicts)).toEqual(new Set(['unknown', 'pass']));
  });

  it('is not applicable to an experiment without a fault', () => {
    const results = runChecks([faultBit], buildHistory({ fault: null }));
    expect(results).toEqual([notApplicable('fault-bit', 'the scenario breaks nothing')]);
  });
});

describe('the verdict of a run', () => {
  it('passes when all went well', () => {
    expect(worstOf(runChecks(checks, buildHistory()).map(({ verdict }) => verdict))).toBe('pass');
  });

  it('is unknown, not fail, when the fault never bit and Redis therefore answered all along', () => {
    const never: [string, string] = ['healthy', 'healthy'];
    const phases = { onset: { source: 'shared' }, fault: { source: 'shared' } } as const;
    const results = runChecks(checks, buildHistory({ phases, probes: probes(never, never), breaker: [] }));
    expect(results.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    expect(worstOf(results.map(({ verdict }) => verdict))).toBe('unknown');
  });

  it('is unknown for an empty run', () => {
    const results = runChecks(checks, buildHistory({ phases: [], faults: [], probes: [], breaker: [] }));
    expect(worstOf(results.map(({ verdict }) => verdict))).toBe('unknown');
  });
});
