// The policies that the API is asked by, found by their names.

import type { Policy } from '../policy.ts';

/** The one that is meant where a client names none, if it is there. */
const defaultName = 'default';
/** Names that are told to whoever names another. */
const toldMax = 10;

export interface KnownPolicies {
  readonly all: readonly Policy[];
  readonly byName: ReadonlyMap<string, Policy>;
  /** The one that is meant where a client names none: the one called `default`, or else the only one. */
  readonly standard: Policy | undefined;
  /** The names, as far as they are told. */
  readonly names: string;
}

/** Of a list that stays as it is; found once for each list. */
export function knownIn(policies: readonly Policy[]): KnownPolicies {
  let known = knownPolicies.get(policies);
  if (!known) {
    const byName = new Map(policies.map((policy) => [policy.name, policy]));
    const names = [...byName.keys()];
    known = {
      all: policies,
      byName,
      standard: byName.get(defaultName) ?? (policies.length === 1 ? policies[0] : undefined),
      names: names.slice(0, toldMax).join(', ') + (names.length > toldMax ? ` and ${names.length - toldMax} more` : ''),
    };
    knownPolicies.set(policies, known);
  }
  return known;
}

const knownPolicies = new WeakMap<readonly Policy[], KnownPolicies>();
