import { describe, expect, it } from 'vitest';
import { needlessRefusal } from '../../../chaos/checks/needless-refusal.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
import type { Bounds } from '../../../chaos/scenario.ts';
import { historyWith } from '../../support/history-builder.ts';
import { answer, fault, storeUse } from '../../support/history-events.ts';

interface Run {
  readonly keys?: number;
  /** What the key is given before the first refusal. */
  readonly givenTo?: (key: number) => number;
  readonly status?: number;
  readonly commands?: number;
  readonly controlMs?: number;
  readonly faultAtMs?: number;
  /** Between two requests for a key. */
  readonly everyMs?: number;
  /** What its other instance goes on to give after the first refusal. */
  readonly inAdvance?: number;
  readonly bounds?: Partial<Bounds>;
}

const requestsOfKey = 15;

/** 15 requests for each key, 100 ms apart, of a limiter with 10 tokens that tells nothing. */
function judged(run: Run) {
  const { keys = 30, givenTo = () => 5, status = 200, commands = 1000, controlMs = 2, faultAtMs } = run;
  const { everyMs = 100, inAdvance = 0, bounds = { leastCapacity: 10 } } = run;
  const answers: AnswerEvent[] = Array.from({ length: keys * requestsOfKey }, (_, i) => {
    const [key, turn] = [i % keys, Math.floor(i / keys)];
    const name = turn % 2 === 0 ? 'limiter-1' : 'limiter-2';
    const isGiven = turn < givenTo(key) || (turn % 2 === 0 && turn < givenTo(key) + 2 * inAdvance);
    return answer(300 + turn * everyMs + key, {
      ...{ key: `k${key}`, instance: name, source: null, remaining: null },
      status: isGiven ? status : 429,
    });
  });
  const sent = { instance: 'limiter-control', scheduledMs: 500, sentMs: 500, receivedMs: 500 + controlMs };
  const control = answer(500, { ...sent, key: 'control', source: null, remaining: null });
  const history = historyWith([...answers, control], {
    storeUse: [storeUse(100, 200, 'redis'), storeUse(100 + commands, 15_000, 'redis')],
    bounds,
    phases: [{ name: 'baseline', ms: 16_000, rate: 0 }],
    faults: faultAtMs === undefined ? [] : [fault('inject', faultAtMs)],
  });
  return needlessRefusal.judge({ ...history, run: { ...history.run, gives: [] } })[0];
}

describe('the refusals before any fault of a target that does not say who decided', () => {
  it('fail where most keys were refused before they were given their capacity, as by one that takes two tokens', () => {
    expect(judged({})).toMatchObject({
      verdict: 'fail',
      measured: 30,
      detail:
        'limiter-1 refused key k0 at 0.900 s after 5 of 10 tokens; before any fault, 30 of 30 keys were refused so early',
    });
    expect(judged({ givenTo: () => 9 })).toMatchObject({ verdict: 'fail' });
  });

  it('are unknown where the machine may have left most of them to a fallback', () => {
    expect(judged({ controlMs: 12 })).toMatchObject({ verdict: 'unknown', measured: 30 });
  });

  it('fail also where keys that were asked for slowly had been given as much by the refill', () => {
    const givenTo = (key: number) => (key < 25 ? 5 : 12);
    expect(judged({ keys: 60, givenTo, everyMs: 390 })).toMatchObject({ verdict: 'fail', measured: 25 });
  });

  it('pass of one that counts in fixed windows, and gives the tokens of one', () => {
    const bounds = { capacity: 20, leastCapacity: 10 };
    expect(judged({ givenTo: () => 10, bounds })).toMatchObject({ verdict: 'pass' });
    expect(judged({ givenTo: () => 9, bounds })).toMatchObject({ verdict: 'fail' });
  });

  it('pass of one that says the most alone that it may give', () => {
    expect(judged({ bounds: {} })).toMatchObject({ verdict: 'pass' });
  });

  it('pass where one instance refused, and the other had taken in advance what it gave then', () => {
    expect(judged({ givenTo: () => 7, inAdvance: 3 })).toMatchObject({ verdict: 'pass' });
  });

  it('pass where each key was given its capacity, and where nobody knows whether a request took a token', () => {
    expect(judged({ givenTo: () => 10 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ givenTo: () => 10, status: 503 })).toMatchObject({ verdict: 'pass' });
  });

  it('pass where a fallback that holds less may have refused', () => {
    expect(judged({ givenTo: (key) => (key < 10 ? 10 : 5) })).toMatchObject({ verdict: 'pass' });
    expect(judged({ keys: 15 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ commands: 100 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ faultAtMs: 100 })).toMatchObject({ verdict: 'pass' });
  });
});
