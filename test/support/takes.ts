// Takes as tests write them: of one limit, by key and cost.

import { createLimit, type Limit } from '../../service/core/limit.ts';
import { type Take, takeOf } from '../../service/core/store.ts';

/** A limit named `default`, as the environment gives it. */
export function limitOf(capacity: number, refillPerSecond: number, fallbackCapacity = capacity): Limit {
  return createLimit({ name: 'default', capacity, refillPerSecond, fallbackCapacity });
}

/** What makes takes from the limit's buckets. */
export function takesOf(limit: Limit): (key: string, cost?: number) => Take {
  return (key, cost = 1) => takeOf([limit], key, cost);
}
