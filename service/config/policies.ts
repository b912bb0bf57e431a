// Policies as a policies file writes them, made into those that decide.

import { createLimit, type Limit } from '../core/limit.ts';
import type { Rate } from '../core/token-bucket.ts';
import { type PathPattern, pathPatternOf } from '../doors/path-pattern.ts';
import { type Match, type Policy, policyOfParts } from '../doors/policy.ts';
import { givenKey, type KeyPart, keyPartOf } from '../doors/policy-key.ts';
import { onStoreFailureOf } from './field-shapes.ts';
import { rateOf } from './limit-text.ts';
import type { WrittenLimit, WrittenPolicy } from './policies-shape.ts';

export interface PoliciesOptions {
  /** Instances that share the limits; undefined: unknown. */
  readonly instances: number | undefined;
  /** All limits that are for one request must have one key: its buckets share a hash tag. */
  readonly isCluster: boolean;
  /** Processes of an instance that share its fallback buckets. */
  readonly workers: number;
}

/** `written`: without a mistake. */
export function policiesOf(written: readonly WrittenPolicy[], options: PoliciesOptions): readonly Policy[] {
  return written.map((policy) => policyOf(policy, options));
}

function policyOf(written: WrittenPolicy, options: PoliciesOptions): Policy {
  const { name, match = {}, cost = 1 } = written;
  return policyOfParts({
    name,
    limits: limitsOf(written, written.limits, options),
    candidate: limitsOf(written, written.candidate ?? [], options, 'candidate/'),
    match: isGiven(written) ? noRequest : matchOf(match),
    key: keyOf(written),
    cost: typeof cost === 'number' ? cost : { header: cost.header.toLowerCase(), max: cost.max },
    isShadow: written.shadow === true,
  });
}

export function matchOf({ method, path }: NonNullable<WrittenPolicy['match']>): Match {
  return {
    ...(method === undefined ? {} : { methods: withHead([method].flat()) }),
    ...(path === undefined ? {} : { path: pathPatternOf(path) as PathPattern }),
  };
}

/** What answers GET mostly answers HEAD too (RFC 9110 §9.3.2), so a limit of GET alone could be passed by HEAD. */
function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;
}

/** Of no method. */
const noRequest: Match = { methods: [] };

/** Whether its key is none of a request's: only who asks by the policy's name gives one. */
export function isGiven({ key }: WrittenPolicy): boolean {
  return key === givenKey;
}

export function keyOf(written: WrittenPolicy): readonly KeyPart[] {
  return isGiven(written) ? [] : [written.key].flat().map((text) => keyPartOf(text) as KeyPart);
}

/** `kind`: what stands before their windows in the names of their buckets, where they are not the policy's own limits. */
function limitsOf(
  written: WrittenPolicy,
  limits: readonly WrittenLimit[],
  { instances = 1, workers }: PoliciesOptions,
  kind = '',
): Limit[] {
  const { name } = written;
  return limits.map((limit) => {
    const rate = rateIn(limit);
    const fallbackCapacity = fallbackCapacityIn(limit) ?? Math.ceil(rate.capacity / instances);
    return createLimit({
      ...rate,
      policy: name,
      name: limitNameOf(name, limits, limit),
      prefix: `${name}/${kind}${paceOf(limit)}/`,
      fallbackCapacity: Math.max(1, Math.floor(fallbackCapacity / workers)),
      onStoreFailure: onStoreFailureOf(written.onStoreFailure),
    });
  });
}

/** What answers call one of a policy's limits, or of its candidate's. */
export function limitNameOf(policy: string, limits: readonly WrittenLimit[], limit: WrittenLimit): string {
  return limits.length === 1 ? policy : `${policy}-${windowOf(limit)}`;
}

export function rateIn(limit: WrittenLimit): Rate {
  if (typeof limit === 'string') return rateOf(limit) as Rate;
  const { capacity } = limit;
  return 'windowSeconds' in limit
    ? { capacity, refillPerSecond: capacity / limit.windowSeconds }
    : { capacity, refillPerSecond: limit.refillPerSecond };
}

/** Time in which an empty bucket refills, `60s`. */
export function windowOf(limit: WrittenLimit): string {
  const { capacity, refillPerSecond } = rateIn(limit);
  return `${Number((capacity / refillPerSecond).toFixed(3))}s`;
}

/**
 * What of a limit is part of the names of its buckets: what it is written by beside the capacity. So a limit whose
 * capacity alone changes keeps its buckets.
 */
export function paceOf(limit: WrittenLimit): string {
  const isByRefill = typeof limit !== 'string' && 'refillPerSecond' in limit;
  return isByRefill ? `${limit.refillPerSecond}ps` : windowOf(limit);
}

function fallbackCapacityIn(limit: WrittenLimit): number | undefined {
  return typeof limit === 'string' ? undefined : limit.fallbackCapacity;
}
