import { type Item, parseList } from 'structured-headers';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../service/core/store.ts';
import { decisionHeaders, problem, quotaExceeded, reducedCapacity } from '../../../service/doors/headers.ts';
import { limitOf } from '../../support/takes.ts';

const quota = { name: 'default', capacity: 5, windowMs: 10_000 };
const allowed: Decision = {
  allowed: true,
  limit: 5,
  remaining: 4,
  retryAfterMs: 0,
  resetMs: 2000,
  mechanism: 'redis',
  quota,
};
const denied: Decision = {
  allowed: false,
  limit: 5,
  remaining: 0,
  retryAfterMs: 430,
  resetMs: 8430,
  mechanism: 'fallback',
  quota,
};
const nowMs = 1_700_000_000_000;

/** The members of a structured list as [value, parameters]. */
const membersOf = (text: string) =>
  parseList(text).map(([value, parameters]) => [value, Object.fromEntries(parameters as Item[1])]);

const headersOf = (decision: Decision, atMs = nowMs) => {
  const flat = decisionHeaders(decision, atMs);
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
};

describe('RateLimit-Policy', () => {
  const policiesOf = (decision: Decision) => membersOf(headersOf(decision)['RateLimit-Policy'] as string);

  it('is a structured list of one string with the quota in tokens and the window in seconds', () => {
    expect(policiesOf(allowed)).toEqual([['default', { q: 5, w: 10 }]]);
  });

  it('rounds a window of a fraction up to whole seconds, and leaves a whole one alone', () => {
    const windowOf = (capacity: number, refillPerSecond: number) =>
      policiesOf({ ...allowed, quota: limitOf(capacity, refillPerSecond).shared.quota });
    expect(windowOf(5, 4)).toEqual([['default', { q: 5, w: 2 }]]);
    expect(windowOf(3, 3 / 7)).toEqual([['default', { q: 3, w: 7 }]]);
    expect(windowOf(1_000_000, 1_000_000 / 86_400)).toEqual([['default', { q: 1_000_000, w: 86_400 }]]);
  });

  it('is another one for another quota of the same name', () => {
    const other = { ...allowed, quota: { ...quota, capacity: 7, windowMs: 14_000 } };
    expect([policiesOf(allowed), policiesOf(other), policiesOf(allowed)]).toEqual([
      [['default', { q: 5, w: 10 }]],
      [['default', { q: 7, w: 14 }]],
      [['default', { q: 5, w: 10 }]],
    ]);
  });
});

describe('of several limits', () => {
  const second: Decision = { ...allowed, quota: { name: 'a-1s', capacity: 5, windowMs: 1000 } };
  const hour: Decision = { ...denied, quota: { name: 'a-3600s', capacity: 9, windowMs: 3_600_000 }, limit: 9 };
  const decision = { ...hour, each: [second, hour] };

  it('the headers name each, and the X- headers tell the one that binds', () => {
    const headers = headersOf(decision);
    expect([headers['RateLimit-Policy'], headers.RateLimit, headers['X-RateLimit-Limit']].map(String)).toEqual([
      '"a-1s";q=5;w=1, "a-3600s";q=9;w=3600',
      '"a-1s";r=4;t=2, "a-3600s";r=0;t=9',
      '9',
    ]);
  });

  it('the body names those that are used up', () => {
    expect(JSON.parse(quotaExceeded(decision))['violated-policies']).toEqual(['a-3600s']);
  });
});

describe('decisionHeaders', () => {
  it('tells an allowed request all but when to retry', () => {
    expect(headersOf(allowed)).toEqual({
      'RateLimit-Policy': '"default";q=5;w=10',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Remaining': '4',
      'X-RateLimit-Reset': '1700000002',
      RateLimit: '"default";r=4;t=2',
      'X-RateLimit-Mechanism': 'redis',
    });
  });

  it('tells a denied request also when to retry', () => {
    expect(headersOf(denied)).toEqual({
      'RateLimit-Policy': '"default";q=5;w=10',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': '1700000009',
      RateLimit: '"default";r=0;t=9',
      'X-RateLimit-Mechanism': 'fallback',
      'Retry-After': '1',
    });
  });

  it('writes RateLimit as a structured list whose numbers are integers', () => {
    const { RateLimit } = headersOf({ ...denied, resetMs: 8000.001 });
    expect(membersOf(RateLimit as string)).toEqual([['default', { r: 0, t: 9 }]]);
  });

  it('rounds every time up, so that whoever waits that long is not early', () => {
    const timesOf = (ms: number, atMs: number) => {
      const headers = headersOf({ ...denied, retryAfterMs: ms, resetMs: ms }, atMs);
      return [headers['Retry-After'], headers['X-RateLimit-Reset'], membersOf(headers.RateLimit as string)[0]];
    };
    expect(timesOf(2000, nowMs)).toEqual(['2', '1700000002', ['default', { r: 0, t: 2 }]]);
    expect(timesOf(2000.001, nowMs)).toEqual(['3', '1700000003', ['default', { r: 0, t: 3 }]]);
    expect(timesOf(1, nowMs + 999)).toEqual(['1', '1700000001', ['default', { r: 0, t: 1 }]]);
    expect(timesOf(2, nowMs + 999)).toEqual(['1', '1700000002', ['default', { r: 0, t: 1 }]]);
  });

  it('never asks to retry after no time at all', () => {
    expect(headersOf({ ...denied, retryAfterMs: 0.001 })['Retry-After']).toBe('1');
  });

  it('promises no time for a cost that can never be met', () => {
    expect(headersOf({ ...denied, retryAfterMs: Number.POSITIVE_INFINITY })).toEqual({
      'RateLimit-Policy': '"default";q=5;w=10',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': '1700000009',
      RateLimit: '"default";r=0;t=9',
      'X-RateLimit-Mechanism': 'fallback',
    });
  });
});

describe('a decision that no bucket stands behind', () => {
  const open: Decision = { allowed: true, limit: 5, retryAfterMs: 0, resetMs: 0, mechanism: 'open', quota };

  it('tells the limit, and nothing of what is left', () => {
    expect(headersOf(open)).toEqual({
      'RateLimit-Policy': '"default";q=5;w=10',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Mechanism': 'open',
    });
  });

  it('is described, when it refuses, as the draft describes reduced capacity', () => {
    const closed: Decision = { ...open, allowed: false, retryAfterMs: 1000, mechanism: 'closed' };
    expect(headersOf(closed)['Retry-After']).toBe('1');
    expect(JSON.parse(reducedCapacity(closed))).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
      title: 'Request cannot be satisfied due to temporary server capacity constraints',
      status: 503,
      detail: 'The limit cannot be counted now. Try again in 1 s.',
      'violated-policies': ['default'],
    });
  });
});

describe('the bodies', () => {
  it('describe a used-up quota as the draft does', () => {
    expect(JSON.parse(quotaExceeded({ ...denied, retryAfterMs: 1430 }))).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      detail: 'Quota of 5 requests in 10 s is used up. Try again in 2 s.',
      'violated-policies': ['default'],
    });
  });

  it('say so where waiting does not help', () => {
    const { detail } = JSON.parse(quotaExceeded({ ...denied, retryAfterMs: Number.POSITIVE_INFINITY }));
    expect(detail).toBe('Quota of 5 requests in 10 s holds fewer than the request costs.');
  });

  it('describe any other problem by its status', () => {
    expect(JSON.parse(problem(404, 'Not found', 'There is "nothing" here.'))).toEqual({
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      detail: 'There is "nothing" here.',
    });
  });
});
