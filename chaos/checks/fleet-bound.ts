// Bound 2: the most that all instances together may admit of one key, put together from its buckets. The check, the lanes
// and the dashboards take it from here.
//
//   (B + r·S)·[Redis was used] + B·(losses of its state) + Σ over instances that used their fallback (β·(1 + losses of its state) + ρ·D)
//
// S is the span of Redis's decisions, D that of the instance's fallback decisions.

import { driftRatioOf } from '../bounds.ts';
import type { SourceKind } from '../history.ts';
import type { Bounds } from '../scenario.ts';

export interface BoundedBucket {
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** How far its clock and the client's may drift apart. */
  readonly driftRatio: number;
}

/** The two kinds of buckets that a key has. */
export function bucketsOf(bounds: Bounds): Readonly<Record<SourceKind, BoundedBucket>> {
  const driftRatio = driftRatioOf(bounds);
  return {
    shared: { capacity: bounds.capacity, refillPerSecond: bounds.refillPerSecond, driftRatio },
    local: { capacity: bounds.fallbackCapacity, refillPerSecond: bounds.fallbackRefillPerSecond, driftRatio },
  };
}

/** Tokens that `count` full buckets, one after the other, hold and get within `spanMs`, which clock drift may stretch. */
export function mostOf(
  { capacity, refillPerSecond, driftRatio }: BoundedBucket,
  spanMs: number,
  count: number,
): number {
  return capacity * count + (refillPerSecond * (1 + driftRatio) * spanMs) / 1000;
}

export interface Span {
  fromMs: number;
  toMs: number;
}

export interface Use {
  /** Undefined when the shared store was not used. */
  readonly shared: Span | undefined;
  /** How often Redis lost the key's bucket meanwhile. */
  readonly losses: number;
  /** One for each instance that used its fallback; and how often that was lost meanwhile. */
  readonly locals: Iterable<Span & { readonly losses?: number }>;
}

export function fleetBound(bounds: Bounds, { shared, losses, locals }: Use): number {
  const buckets = bucketsOf(bounds);
  let bound = shared ? mostOf(buckets.shared, shared.toMs - shared.fromMs, 1 + losses) : 0;
  for (const { fromMs, toMs, losses: lost = 0 } of locals) bound += mostOf(buckets.local, toMs - fromMs, 1 + lost);
  return bound;
}
