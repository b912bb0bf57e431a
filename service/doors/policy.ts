// What a request has to take, by the policies that are for it. All of them must allow it: their buckets are one take.

import type { Limit } from '../core/limit.ts';
import { type Charge, type Take, takeOf } from '../core/store.ts';
import { headerKeyOf, keyLengthMax, keyOfAddress, keyOfHeader } from './client-key.ts';
import { matchPath, type PathParameters, type PathPattern, segmentsOf } from './path-pattern.ts';
import { type KeyPart, keyOfParts, keyTooLong } from './policy-key.ts';
import { headerOf, type Mistake, type RequestFacts } from './request-facts.ts';

export interface Policy {
  readonly name: string;
  /** All of them must allow a request. */
  readonly limits: readonly Limit[];
  /** Tried out beside them: counted, and nobody is answered by them. Mostly none. */
  readonly candidate: readonly Limit[];
  readonly match: Match;
  /** The key of a request that it is for, or why there is none. */
  readonly keyOf: (request: RequestFacts, parameters: PathParameters) => string | Mistake;
  readonly cost: Cost;
  /** Only tried out: counted, and nobody is answered by it. */
  readonly isShadow: boolean;
}

/** Which requests a policy is for; what is left out may be anything. */
export interface Match {
  readonly methods?: readonly string[];
  readonly path?: PathPattern;
}

/** Tokens: so many, or what a header of the request says, 1 without it. */
export type Cost = number | { readonly header: string; readonly max: number };

/** The policy of the settings: for every request; by the value of a header where there is one, else by address. */
export function policyOfHeader(limit: Limit, keyHeader: string | undefined): Policy {
  const keyOf = ({ headers, addressOf }: RequestFacts) => {
    const named = headerKeyOf(headers, keyHeader);
    if (named === undefined) return keyOfAddress(addressOf());
    return named.length > keyLengthMax ? keyTooLong(keyHeader as string, named.length) : keyOfHeader(named);
  };
  return { name: limit.shared.quota.name, limits: [limit], candidate: [], match: {}, keyOf, cost: 1, isShadow: false };
}

/** The policy of the settings of a policies file. */
export function policyOfParts(options: Omit<Policy, 'keyOf'> & { readonly key: readonly KeyPart[] }): Policy {
  const { key, ...policy } = options;
  return { ...policy, keyOf: (request, parameters) => keyOfParts(key, request, parameters) };
}

/** What a request comes to by the policies that are for it. */
export interface Claim {
  /** undefined when no policy is for it. */
  readonly take: Take | undefined;
  /** Of policies and of limits that are only tried out, each by itself. */
  readonly shadows: readonly Take[];
  /** By the policies that cannot count it. */
  readonly mistakes: readonly PolicyMistake[];
}

export interface PolicyMistake extends Mistake {
  readonly policy: Policy;
}

const none: readonly never[] = [];
const noParameters: PathParameters = {};

export function claimOf(policies: readonly Policy[], request: RequestFacts): Claim {
  let take: Take | undefined;
  let shadows: Take[] | undefined;
  let mistakes: PolicyMistake[] | undefined;
  let path: readonly string[] | undefined;
  for (const policy of policies) {
    const { methods, path: pattern } = policy.match;
    if (methods && !methods.includes(request.method)) continue;
    let parameters: PathParameters | undefined = noParameters;
    if (pattern) {
      path ??= segmentsOf(request.url);
      parameters = matchPath(pattern, path);
    }
    if (!parameters) continue;
    const own = takeBy(policy, request, parameters);
    if (!('charges' in own)) mistakes = [...(mistakes ?? []), { ...own, policy }];
    else if (policy.isShadow) shadows = [...(shadows ?? []), { ...own, shadowOf: policy.name }];
    else take = take ? { key: take.key, charges: [...take.charges, ...own.charges] } : own;
    if ('charges' in own && policy.candidate.length > 0) shadows = [...(shadows ?? []), candidateOf(policy, own)];
  }
  return { take, shadows: shadows ?? none, mistakes: mistakes ?? none };
}

/** What a take of the policy's is by its candidate. */
export function candidateOf({ name, candidate }: Policy, { key, charges }: Take): Take {
  return { ...takeOf(candidate, key, (charges[0] as Charge).cost), shadowOf: name };
}

function takeBy(policy: Policy, request: RequestFacts, parameters: PathParameters): Take | Mistake {
  const key = policy.keyOf(request, parameters);
  if (typeof key !== 'string') return key;
  const cost = costOf(policy.cost, request);
  return typeof cost === 'number' ? takeOf(policy.limits, key, cost) : cost;
}

function costOf(cost: Cost, request: RequestFacts): number | Mistake {
  if (typeof cost === 'number') return cost;
  const text = headerOf(request, cost.header);
  if (text === undefined) return 1;
  const value = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= cost.max) return value;
  return {
    title: 'Cost not allowed',
    detail: `The cost in ${cost.header} is not a whole number from 1 to ${cost.max}.`,
  };
}
