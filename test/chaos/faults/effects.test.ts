import { describe, expect, it } from 'vitest';
import { LabError } from '../../../chaos/errors.ts';
import { faultKinds, faultOf } from '../../../chaos/faults/index.ts';
import type { Ping } from '../../../chaos/host/ping.ts';
import { usualBounds } from '../../support/history-builder.ts';

const latency = (latencyMs: number, jitterMs = 0) => faultOf({ kind: 'latency', latencyMs, jitterMs });

describe('what a latency forces on a sound limiter', () => {
  it.each([
    [1, 0, 'none'],
    [1, 0.5, 'degraded'],
    [4, 0, 'degraded'],
    [4.5, 0, 'cut-off'],
    [100, 20, 'cut-off'],
    [100, 99, 'degraded'],
  ])(
    'of %d ± %d ms in each direction, with 5 ms for a call and 9 for an answer, is %s',
    (latencyMs, jitterMs, effect) => {
      expect(latency(latencyMs, jitterMs).facts(usualBounds).effect).toBe(effect);
    },
  );

  it('follows the time that a call may take', () => {
    expect(latency(4).facts({ ...usualBounds, redisTimeoutMs: 20 }).effect).toBe('none');
  });
});

it.each([
  [{ kind: 'latency', latencyMs: 8, direction: 'downstream' }, 'degraded'],
  [{ kind: 'latency', latencyMs: 9, direction: 'upstream' }, 'cut-off'],
  [{ kind: 'latency', latencyMs: 2, direction: 'upstream' }, 'none'],
  [{ kind: 'slicer', averageBytes: 7, delayUs: 1000 }, 'cut-off'],
  [{ kind: 'partition', direction: 'downstream' }, 'cut-off'],
  [{ kind: 'limit-data', bytes: 6 }, 'cut-off'],
  [{ kind: 'reset-peer' }, 'cut-off'],
  [{ kind: 'dead-connections', share: 0.8 }, 'degraded'],
])('the effect of %j is %s', (spec, effect) => {
  expect(faultOf(spec).facts(usualBounds).effect).toBe(effect);
});

describe('a fault', () => {
  it('tells all that the history records of it', () => {
    expect(latency(100, 20).facts(usualBounds, 'one-store-link')).toEqual({
      fault: 'latency',
      effect: 'cut-off',
      state: 'kept',
      endsBy: 'heal',
      reach: 'one-store-link',
      description: 'Redis was 100 ± 20 ms away in each direction',
    });
  });

  it.each([
    [{ kind: 'latency' }, 'fault latency: latencyMs: Invalid input: expected number, received undefined'],
    [{ kind: 'latency', latencyMs: 'fast' }, ': latencyMs: '],
    [{ kind: 'latency', latencyMs: 5, jitterMs: 6 }, 'jitterMs is more than latencyMs'],
    [{ kind: 'redis-gray', stopMs: 60, eachMs: 60 }, 'stopMs is not less than eachMs'],
    [{ kind: 'partition', rate: 3 }, 'Unrecognized key: "rate"'],
    [{ kind: 'partition', direction: 'sideways' }, ': direction: '],
    [{ kind: 'limit-data', bytes: 7 }, ': bytes: '],
    [{ kind: 'dead-connections', share: 1 }, ': share: '],
    [{ kind: 'latency-ramp', latencyMs: 5, overMs: 1000, steps: 6 }, 'latencyMs is less than steps'],
    [{ kind: 'slicer', averageBytes: 18, delayUs: 1000 }, ': averageBytes: '],
  ])('%j is refused with what is wrong with it', (spec, message) => {
    expect(() => faultOf(spec)).toThrow(LabError);
    expect(() => faultOf(spec)).toThrow(message);
  });

  it('that there is not is refused with those that there are', () => {
    const known = faultKinds.map(({ kind }) => kind).join(', ');
    expect(() => faultOf({ kind: 'toString' })).toThrow(
      new LabError(`There is no fault "toString". Faults: ${known}.`),
    );
  });

  it('of no kind bites a link that answers at once', () => {
    const pong: Ping = { outcome: 'pong', ms: 0.1, reply: '+PONG' };
    const bitten = faultKinds.flatMap(({ examples }) => examples.filter((spec) => faultOf(spec).bites(pong)));
    expect(bitten).toEqual([]);
  });
});
