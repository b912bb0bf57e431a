import { describe, expect, it } from 'vitest';
import { recovery } from '../../../chaos/checks/recovery.ts';
import { buildHistory, type HistorySpec } from '../../support/history-builder.ts';
import { fault, storeUse } from '../../support/history-events.ts';

/** Of a run of 10 s that is cut off from 1 to 5 s, of a target that tells nothing. By then Redis was given `given(atMs)` commands. */
function judged(given: (atMs: number) => number, spec: HistorySpec = {}, endMs = 10_000) {
  const looks = Array.from({ length: endMs / 250 }, (_, i) => storeUse(given(i * 250), i * 250, 'redis'));
  const history = buildHistory({ ...spec, storeUse: [...looks, storeUse(500)] });
  return recovery.judge({ ...history, run: { ...history.run, gives: [] } })[0];
}
const until = (endMs: number) => (atMs: number) => Math.min(atMs, endMs);

describe('the recovery check of a target that does not say who decided', () => {
  it('passes a limiter that asks Redis again', () => {
    expect(judged((atMs) => atMs)).toMatchObject({
      verdict: 'pass',
      measured: 2500,
      limit: 1,
      unit: 'commands',
      detail: 'Redis was asked from 7.3 to 9.8 s; what it decided the target does not say',
    });
  });

  it('passes one that asks it now and then, as a breaker does that waits anew', () => {
    expect(judged((atMs) => (atMs < 8000 ? until(1000)(atMs) : 1001))).toMatchObject({ verdict: 'pass', measured: 1 });
  });

  it('fails one that gives it no command any more', () => {
    expect(judged(until(1000))).toMatchObject({
      verdict: 'fail',
      measured: 0,
      detail: 'Redis was asked nothing from 7.3 to 9.8 s, though requests were allowed',
    });
  });

  it('is unknown where the machine was busy', () => {
    const busy = { controlLatencyMs: 20 };
    const phases = { baseline: busy, onset: busy, fault: busy, heal: busy, recovered: busy };
    expect(judged(until(1000), { phases })).toMatchObject({ verdict: 'unknown' });
  });

  it('is not applicable to one that asks Redis seldom anyway', () => {
    const later = { phases: { baseline: { ms: 3000 } } };
    const onceIn = (ms: number) => judged((atMs) => Math.floor(until(3000)(atMs) / ms), later, 12_000);
    expect(onceIn(1400)).toMatchObject({ verdict: 'not applicable' });
    expect(onceIn(500)).toMatchObject({ verdict: 'fail' });
  });

  it('is not applicable where a Redis counts anew, was not looked at, or all are refused', () => {
    const none = { verdict: 'not applicable', detail: 'the target does not say who decided' };
    expect(judged((atMs) => (atMs < 8000 ? atMs : 0))).toMatchObject(none);
    const refused = { status: 429 };
    expect(judged(until(1000), { phases: { heal: refused, recovered: refused } })).toMatchObject(none);
    const history = buildHistory({ storeUse: [storeUse(0)] });
    expect(recovery.judge({ ...history, run: { ...history.run, gives: [] } })).toMatchObject([none]);
  });

  it('is not applicable where another instance was spared, or is cut off again', () => {
    const one = { reach: 'one-store-link', target: 'limiter-1' } as const;
    const of = [fault('inject', 1000, one), fault('heal', 5000, one)];
    expect(judged(until(1000), { faults: of })).toMatchObject({ verdict: 'not applicable' });
    const both = ['limiter-1', 'limiter-2'].flatMap((target) =>
      [1000, 7500].flatMap((atMs) => [fault('inject', atMs, { target }), fault('heal', atMs + 2400, { target })]),
    );
    expect(judged(until(1000), { faults: both })).toMatchObject({ verdict: 'not applicable' });
  });

  describe('whose Redis knows whose connections were used', () => {
    /** `lastMs`: until when the second of two instances used Redis, as the first did all the time. */
    const judgedWith = (lastMs: number, spec: HistorySpec = {}) => {
      const looks = Array.from({ length: 40 }, (_, i) => i * 250).flatMap((atMs) => [
        storeUse(atMs, atMs, 'redis'),
        storeUse(atMs / 250, atMs, 'limiter-1'),
        storeUse(Math.min(atMs, lastMs) / 250, atMs, 'limiter-2'),
      ]);
      const history = buildHistory({ ...spec, storeUse: looks });
      return recovery.judge({ ...history, run: { ...history.run, gives: [] } })[0];
    };

    it('fails one of which one instance alone asks Redis no more', () => {
      expect(judgedWith(1000)).toMatchObject({
        verdict: 'fail',
        measured: 0,
        unit: 'looks',
        detail: 'Redis was asked nothing by limiter-2 from 7.3 to 9.8 s, though requests were allowed',
      });
      expect(judgedWith(10_000)).toMatchObject({ verdict: 'pass' });
      // Healed one after the other, as it is.
      const healed = [5000, 5001].map((atMs, i) => fault('heal', atMs, { target: `limiter-${2 - i}` }));
      const injected = ['limiter-1', 'limiter-2'].map((target) => fault('inject', 1000, { target }));
      expect(judgedWith(1000, { faults: [...injected, ...healed] })).toMatchObject({ verdict: 'fail' });
    });

    it('judges an instance that alone was cut off, and leaves out one that was spared', () => {
      const cut = (target: string) => {
        const one = { reach: 'one-store-link', target } as const;
        return { faults: [fault('inject', 1000, one), fault('heal', 5000, one)] };
      };
      expect(judgedWith(1000, cut('limiter-2'))).toMatchObject({ verdict: 'fail' });
      expect(judgedWith(10_000, cut('limiter-2'))).toMatchObject({ verdict: 'pass', unit: 'looks' });
      expect(judgedWith(1000, cut('limiter-1'))).toMatchObject({ verdict: 'pass' });
    });

    it('is unknown where the machine was busy', () => {
      const busy = { controlLatencyMs: 20 };
      const phases = { baseline: busy, onset: busy, fault: busy, heal: busy, recovered: busy };
      expect(judgedWith(1000, { phases })).toMatchObject({ verdict: 'unknown' });
    });
  });
});
