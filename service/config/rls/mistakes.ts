// What is wrong with rules that have the shape of rules: with one by itself, and with several beside each other.

import type { Place, Tell } from '../yaml-text.ts';
import { lookupOf } from './rules.ts';
import { requestsAllowed, unitAllowed, type WrittenDescriptor, type WrittenRateLimit } from './shape.ts';

/** A descriptor, and its number in its list. */
type Placed = readonly [at: number, descriptor: WrittenDescriptor];

/** `descriptors`: those that a file begins with. */
export function tellMistakes(descriptors: readonly Placed[], tell: Tell): void {
  tellOfDescriptors(descriptors, ['descriptors'], tell);
}

function tellOfDescriptors(descriptors: readonly Placed[], place: Place, tell: Tell): void {
  const seen = new Map<string, number>();
  for (const [i, descriptor] of descriptors) {
    const here = [...place, i];
    const { value, rate_limit, share_threshold, onStoreFailure } = descriptor;
    const lookup = lookupOf(descriptor);
    const before = seen.get(lookup);
    if (before !== undefined) {
      tell(here, `is for ${lookup}, as descriptor ${before} beside it is; allowed: once in a list`);
    } else seen.set(lookup, i);
    if (share_threshold && !value?.includes('*')) {
      tell([...here, 'share_threshold'], 'is true; allowed: only beside a value with *');
    }
    if (rate_limit) tellOfLimit(rate_limit, [...here, 'rate_limit'], tell);
    if (onStoreFailure !== undefined && (!rate_limit || rate_limit.unlimited)) {
      tell([...here, 'onStoreFailure'], 'is about no limit; allowed: only beside a rate_limit that is not unlimited');
    }
    tellOfDescriptors([...(descriptor.descriptors ?? []).entries()], [...here, 'descriptors'], tell);
  }
}

function tellOfLimit(limit: WrittenRateLimit, place: Place, tell: Tell): void {
  for (const [field, allowed] of [
    ['unit', unitAllowed],
    ['requests_per_unit', requestsAllowed],
  ] as const) {
    const value = limit[field];
    if (limit.unlimited && value !== undefined) {
      tell([...place, field], `is ${value}; allowed: not there, with unlimited`);
    } else if (!limit.unlimited && value === undefined) {
      tell([...place, field], `is missing; allowed: ${allowed}`);
    }
  }
  for (const [i, { name }] of (limit.replaces ?? []).entries()) {
    if (name === limit.name) {
      tell([...place, 'replaces', i, 'name'], `is ${name}, which is its own; allowed: the name of another rate_limit`);
    }
  }
}
