import { describe, expect, it } from 'vitest';
import { needlessRefusal } from '../../../chaos/checks/needless-refusal.ts';
import type { AnswerEvent } from '../../../chaos/history.ts';
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
}

const requestsOfKey = 15;

/** 15 requests for each key, 100 ms apart, of a limiter with 10 tokens that tells nothing. */
function judged({ keys = 30, givenTo = () => 5, status = 200, commands = 1000, controlMs = 2, faultAtMs }: Run) {
  const answers: AnswerEvent[] = Array.from({ length: keys * requestsOfKey }, (_, i) => {
    const [key, turn] = [i % keys, Math.floor(i / keys)];
    const name = turn % 2 === 0 ? 'limiter-1' : 'limiter-2';
    return answer(300 + turn * 100 + key, {
      ...{ key: `k${key}`, instance: name, source: null, remaining: null },
      status: turn < givenTo(key) ? status : 429,
    });
  });
  const sent = { instance: 'limiter-control', scheduledMs: 500, sentMs: 500, receivedMs: 500 + controlMs };
  const control = answer(500, { ...sent, key: 'control', source: null, remaining: null });
  const history = historyWith([...answers, control], {
    storeUse: [storeUse(100, 200, 'redis'), storeUse(100 + commands, 4000, 'redis')],
    phases: [{ name: 'baseline', ms: 5000, rate: 0 }],
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
        'limiter-2 refused key k0 at 0.800 s after 5 of 10 tokens; before any fault, 30 of 30 keys were refused so early',
    });
    expect(judged({ givenTo: () => 9 })).toMatchObject({ verdict: 'fail' });
  });

  it('pass where each key was given its capacity, and where nobody knows whether a request took a token', () => {
    expect(judged({ givenTo: () => 10 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ givenTo: () => 10, status: 503 })).toMatchObject({ verdict: 'pass' });
  });

  it('pass where a fallback that holds less may have refused', () => {
    expect(judged({ givenTo: (key) => (key < 10 ? 10 : 5) })).toMatchObject({ verdict: 'pass' });
    expect(judged({ keys: 15 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ commands: 100 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ controlMs: 12 })).toMatchObject({ verdict: 'pass' });
    expect(judged({ faultAtMs: 100 })).toMatchObject({ verdict: 'pass' });
  });
});
