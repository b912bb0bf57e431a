// What a request's descriptors come to by the rules: which bucket each of them takes from, and what it does there.

import { createLimit, type Limit } from '../../core/limit.ts';
import type { Charge } from '../../core/store.ts';
import { keyOfEntries, matchOf, withoutReplaced } from './matching.ts';
import type { Overrides } from './overrides.ts';
import type { RequestDescriptor, RequestMistake, RlsRequest } from './request.ts';
import type { CurrentLimit } from './response.ts';
import { type RlsRate, type RlsRules, rlsPolicy } from './rules.ts';

/** A descriptor with a limit. */
export interface Charged {
  readonly currentLimit: CurrentLimit;
  /** The cost is what it takes or gives back; of a look, 1. */
  readonly charge: Charge;
  readonly does: 'take' | 'look' | 'giveBack';
  /** Nobody is refused by it. */
  readonly isShadow: boolean;
}

/** A descriptor without: no rule is for it, or another one's rule replaces its own; or its rule has no limit. */
export type Free = 'unmatched' | 'unlimited';

/** In the order of the descriptors. */
export function chargedBy(
  rules: RlsRules,
  overrides: Overrides,
  request: RlsRequest,
): readonly (Charged | Free)[] | RequestMistake {
  const { domain, descriptors } = request;
  if (domain === '') return { mistake: 'domain is empty; allowed: the domain of some rules.' };
  if (descriptors.length === 0) return { mistake: 'descriptors is empty; allowed: at least one.' };
  if (!rules.has(domain)) return descriptors.map(() => 'unmatched');
  const matches = withoutReplaced(
    descriptors.map(({ override, entries }) => (override ? undefined : matchOf(rules, domain, entries))),
  );
  const charged: (Charged | Free)[] = [];
  for (const [i, descriptor] of descriptors.entries()) {
    const match = matches[i];
    if (descriptor.override) {
      const rate = overrides.rateOf(descriptor.override);
      if (!rate) return { mistake: unitMistake(i, descriptor.override.unit) };
      const key = `${rate.requestsPerUnit}:${keyOfEntries(domain, descriptor.entries)}`;
      charged.push(chargedOf(request, descriptor, { rate, key, name: undefined, isShadow: false }));
    } else if (!match) {
      charged.push('unmatched');
    } else {
      const { rate, name, isShadow } = match.rule;
      charged.push(rate ? chargedOf(request, descriptor, { rate, key: match.key, name, isShadow }) : 'unlimited');
    }
  }
  return charged;
}

interface Found {
  readonly rate: RlsRate;
  readonly key: string;
  readonly name: string | undefined;
  readonly isShadow: boolean;
}

function chargedOf(request: RlsRequest, descriptor: RequestDescriptor, { rate, key, name, isShadow }: Found): Charged {
  const { unit, requestsPerUnit, limit } = rate;
  const hits = descriptor.hitsAddend ?? Math.max(1, request.hitsAddend);
  const currentLimit = { name, requestsPerUnit, unit };
  if (!limit)
    return { currentLimit, charge: { ...refusal, bucket: refusal.limit.prefix + key }, does: 'take', isShadow };
  const does = hits === 0 ? 'look' : descriptor.isNegative ? 'giveBack' : 'take';
  const cost = does === 'look' ? 1 : Math.min(hits, limit.shared.capacity + 1); // more is refused or fills it just the same
  return { currentLimit, charge: { limit, bucket: limit.prefix + key, cost }, does, isShadow };
}

/** What a bucket never holds: of a limit of 0, everything is refused like this, and counted like any other refusal. */
const refusal: { readonly limit: Limit; readonly cost: number } = {
  limit: createLimit({ name: rlsPolicy, prefix: `${rlsPolicy}/none/`, capacity: 1, refillPerSecond: 1 }),
  cost: 2,
};

function unitMistake(at: number, unit: number): string {
  return `descriptors[${at}].limit.unit is ${unit}; allowed: 1 to 7, which is SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, WEEK.`;
}
