// What is wrong with policies that have the shape of policies: with one by itself, and with several beside each other.

import { mayMeet, type PathPattern, parametersIn, pathPatternOf } from '../doors/path-pattern.ts';
import type { Match } from '../doors/policy.ts';
import { isGiven, keyOf, limitNameOf, matchOf, type PoliciesOptions, paceOf, rateIn, windowOf } from './policies.ts';
import type { WrittenLimit, WrittenPolicy } from './policies-shape.ts';
import type { Place, Tell } from './yaml-text.ts';

/** A policy, and its number in the list. */
type Placed = readonly [at: number, policy: WrittenPolicy];

export function tellMistakes(policies: readonly Placed[], options: PoliciesOptions, tell: Tell): void {
  for (const [i, policy] of policies) {
    tellOfKey(policy, ['policies', i], tell);
    tellOfLimits(policy, ['policies', i], tell);
  }
  tellTogether(policies, options, tell);
  tellOfLimitNames(policies, tell);
}

function tellOfKey(policy: WrittenPolicy, place: Place, tell: Tell): void {
  if (isGiven(policy)) {
    const allowed = 'not there, with a key that is given';
    if (policy.match) tell([...place, 'match'], `says which requests it is for; allowed: ${allowed}`);
    if (typeof policy.cost === 'object')
      tell([...place, 'cost', 'header'], `is a header of a request; allowed: ${allowed}`);
  }
  const path = policy.match?.path;
  const known = path === undefined ? [] : parametersIn(pathPatternOf(path) as PathPattern);
  for (const part of keyOf(policy)) {
    if (part.kind === 'path' && !known.includes(part.name)) {
      const allowed = known.length > 0 ? known.join(', ') : 'none, since match.path has no parameter such as :id';
      tell([...place, 'key'], `names the path parameter ${part.name}; allowed: ${allowed}`);
    }
  }
}

function tellOfLimits(policy: WrittenPolicy, place: Place, tell: Tell): void {
  const { limits, candidate = [], cost = 1 } = policy;
  tellOfRefill(limits, [...place, 'limits'], tell);
  tellOfRefill(candidate, [...place, 'candidate'], tell);
  if (policy.candidate && policy.shadow) {
    tell([...place, 'candidate'], 'is tried out beside nothing; allowed: not there, with shadow');
  }
  const capacityMin = Math.min(...[...limits, ...candidate].map((limit) => rateIn(limit).capacity));
  const costMax = typeof cost === 'number' ? cost : cost.max;
  if (costMax > capacityMin) {
    const at = typeof cost === 'number' ? ['cost'] : ['cost', 'max'];
    tell([...place, ...at], `is ${costMax}; allowed: up to ${capacityMin}, the smallest capacity of its limits`);
  }
}

/** Two limits that refill alike would have the same buckets. */
function tellOfRefill(limits: readonly WrittenLimit[], place: Place, tell: Tell): void {
  for (const [i, limit] of limits.entries()) {
    const before = limits.slice(0, i);
    if (before.some((it) => windowOf(it) === windowOf(limit))) {
      const window = windowOf(limit);
      tell([...place, i], `has a window of ${window} as one before it; allowed: limits of different windows`);
    } else if (before.some((it) => paceOf(it) === paceOf(limit))) {
      tell([...place, i], 'refills as fast as one before it; allowed: limits of different refill');
    }
  }
}

function tellTogether(policies: readonly Placed[], { isCluster }: PoliciesOptions, tell: Tell): void {
  const names = new Set<string>();
  const others: Taking[] = [];
  for (const [i, policy] of policies) {
    const { name } = policy;
    if (names.has(name)) tell(['policies', i, 'name'], `is ${name}, as of one before it; allowed: a name of its own`);
    names.add(name);
    // One that is only tried out makes a take of its own.
    if (!isCluster || policy.shadow || isGiven(policy)) continue;
    const own = takingOf(policy);
    const other = others.find(
      (it) => (it.key !== own.key || it.segments !== own.segments) && mayBeOneRequest(it.match, own.match),
    );
    if (other) {
      const allowed = `with Redis Cluster the key of ${other.name}, which may be for the same request`;
      const another = other.key === own.key ? 'another segment of the path' : 'another';
      tell(['policies', i, 'key'], `is ${another} than that of ${other.name}; allowed: ${allowed}`);
    }
    others.push(own);
  }
}

/** What of a policy is compared with all before it, read once. */
interface Taking {
  readonly name: string;
  readonly match: Match;
  readonly key: string;
  /** Which of the path its key names: one name may be of two segments, and so of two values. */
  readonly segments: string;
}

function takingOf(policy: WrittenPolicy): Taking {
  const match = matchOf(policy.match ?? {});
  const key = keyOf(policy);
  const inPath = match.path?.segments ?? [];
  const segments = key.map((part) =>
    inPath.findIndex((it) => part.kind === 'path' && 'parameter' in it && it.parameter === part.name),
  );
  return { name: policy.name, match, key: JSON.stringify(key), segments: JSON.stringify(segments) };
}

function mayBeOneRequest(one: Match, { methods, path }: Match): boolean {
  if (one.methods && methods && !one.methods.some((method) => methods.includes(method))) return false;
  return !one.path || !path || mayMeet(one.path, path);
}

/** An answer that names limits of two policies must tell them apart. */
function tellOfLimitNames(policies: readonly Placed[], tell: Tell): void {
  const owners = new Map<string, WrittenPolicy>();
  for (const [i, policy] of policies) {
    const { name, limits, candidate = [] } = policy;
    for (const limit of new Set([limits, candidate].flatMap((all) => all.map((it) => limitNameOf(name, all, it))))) {
      const owner = owners.get(limit) ?? policy;
      owners.set(limit, owner);
      if (owner === policy || owner.name === name) continue;
      const mistake = `is ${name}, with a limit that is called ${limit} as one of ${owner.name}`;
      tell(['policies', i, 'name'], `${mistake}; allowed: a name by which all limits have names of their own`);
      break;
    }
  }
}
