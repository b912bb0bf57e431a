// Bound 2: the most that all instances together may admit of one key, put together from its buckets. The check, the lanes
// and the dashboards take it from here.
//
//   (B + r·S)·[Redis was used] + B·(losses of its state) + Σ over instances that used their fallback (β + ρ·D)
//
// S is the span of Redis's decisions, D that of the instance's fallback decisions.

import type { Bounds } from '../scenario.ts';
import { driftRatio } from './sources.ts';

export interface BoundedBucket {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** The two kinds of buckets that a key has. */
export function bucketsOf(bounds: Bounds): Readonly<Record<'redis' | 'fallback', BoundedBucket>> {
  return {
    redis: { capacity: bounds.capacity, refillPerSecond: bounds.refillPerSecond },
    fallback: { capacity: bounds.fallbackCapacity, refillPerSecond: bounds.fallbackRefillPerSecond },
  };
}

/** Tokens that `count` full buckets, one after the other, hold and get within `spanMs`, which clock drift may stretch. */
export function mostOf({ capacity, refillPerSecond }: BoundedBucket, spanMs: number, count: number): number {
  return capacity * count + (refillPerSecond * (1 + driftRatio) * spanMs) / 1000;
}

export interface Span {
  fromMs: number;
  toMs: number;
}

export interface Use {
  /** Undefined when Redis was not used. */
  readonly redis: Span | undefined;
  /** How often Redis lost the key's bucket meanwhile. */
  readonly losses: number;
  /** One for each instance that used its fallback. */
  readonly fallbacks: Iterable<Span>;
}

export function fleetBound(bounds: Bounds, { redis, losses, fallbacks }: Use): number {
  const buckets = bucketsOf(bounds);
  let bound = redis ? mostOf(buckets.redis, redis.toMs - redis.fromMs, 1 + losses) : 0;
  for (const { fromMs, toMs } of fallbacks) bound += mostOf(buckets.fallback, toMs - fromMs, 1);
  return bound;
}
