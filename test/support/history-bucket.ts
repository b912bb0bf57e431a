// A true token bucket, to make histories of which it is known that they are right.

import fc from 'fast-check';
import type { AnswerEvent } from '../../chaos/history.ts';
import { answer } from './history-events.ts';

export interface TrueBucket {
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** In order of the true instants, which lie between sending and receipt. */
  readonly answers: readonly (AnswerEvent & { readonly trueMs: number; readonly level: number })[];
}

const gapMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3000 }) },
);
const jitterMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 900 }) },
);

/** What a bucket answered to a run of requests, each seen by its client with some delay on the way there and back. */
export const trueBucket: fc.Arbitrary<TrueBucket> = fc
  .record({
    capacity: fc.integer({ min: 1, max: 10 }),
    refillPerSecond: fc.constantFrom(0.5, 1, 2, 5, 20, 100),
    requests: fc.array(fc.tuple(gapMs, jitterMs, jitterMs), { minLength: 1, maxLength: 60 }),
  })
  .map(({ capacity, refillPerSecond, requests }) => {
    let level = capacity;
    let nowMs = 1000;
    const answers = requests.map(([gap, there, back]) => {
      nowMs += gap;
      level = Math.min(capacity, level + (gap * refillPerSecond) / 1000);
      const before = level;
      const allowed = level >= 1;
      if (allowed) level -= 1;
      const times = { sentMs: nowMs - there, receivedMs: nowMs + back };
      return { ...answer(nowMs - there, { ...times, status: allowed ? 200 : 429 }), trueMs: nowMs, level: before };
    });
    return { capacity, refillPerSecond, answers };
  });
