// The policies file: YAML, or JSON, which is YAML too. Every mistake in it is found in one reading, each with its place.

import { readFileSync } from 'node:fs';
import { isMap, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import { createLimit, type Limit, type OnStoreFailure } from '../core/limit.ts';
import type { Rate } from '../core/token-bucket.ts';
import { mayMeet, type PathPattern, parametersIn, pathPatternOf } from '../doors/path-pattern.ts';
import { type Match, type Policy, policyOfParts } from '../doors/policy.ts';
import { type KeyPart, keyPartOf } from '../doors/policy-key.ts';
import { rateOf } from './limit-text.ts';
import { givenKey, policiesFile, type WrittenLimit, type WrittenPolicy } from './policies-shape.ts';

export interface PoliciesOptions {
  /** Instances that share the limits; undefined: unknown. */
  readonly instances: number | undefined;
  /** All limits that are for one request must have one key: its buckets share a hash tag. */
  readonly isCluster: boolean;
}

type Place = readonly PropertyKey[];
type Tell = (place: Place, mistake: string) => void;

const bytesMax = 1_000_000;
const shownMax = 100;

/** The policies in the file at `path`; undefined when there are mistakes, which are added to `mistakes`, a line each. */
export function readPolicies(
  path: string,
  options: PoliciesOptions,
  mistakes: string[],
): readonly Policy[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    mistakes.push(`POLICIES_FILE is ${JSON.stringify(path)}, which cannot be read: ${(error as Error).message}`);
    return undefined;
  }
  return policiesIn(text, options, mistakes, `POLICIES_FILE ${path}`);
}

/** The same of the file's text; `name` is how the mistakes call the file. */
export function policiesIn(
  text: string,
  options: PoliciesOptions,
  mistakes: string[],
  name: string,
): readonly Policy[] | undefined {
  if (text.length > bytesMax) {
    mistakes.push(`${name} has ${text.length} characters; allowed: ${bytesMax}`);
    return undefined;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  for (const { message, pos } of document.errors) mistakes.push(`${name}:${lines.linePos(pos[0]).line} ${message}`);
  if (document.errors.length > 0) return undefined;

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    mistakes.push(`${name} ${(error as Error).message}`);
    return undefined;
  }
  let found = 0;
  const tell: Tell = (place, mistake) => {
    found++;
    const { line } = lines.linePos(offsetOf(document.contents, place));
    mistakes.push(`${name}:${line} ${placeOf(place)} ${mistake}`);
  };
  const parsed = policiesFile.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) tellIssue(issue, value, tell);
    return undefined;
  }
  const { policies } = parsed.data;
  const resolved = policies.map((written, i) => policyOf(written, ['policies', i], options, tell));
  tellTogether(policies, options, tell);
  return found > 0 ? undefined : resolved;
}

function tellIssue(issue: z.core.$ZodIssue, value: unknown, tell: Tell): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) tell([...issue.path, key], `is no field; allowed: ${issue.message}`);
    return;
  }
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const shown = found === undefined ? 'missing' : JSON.stringify(found);
  tell(issue.path, `is ${shown.length > shownMax ? `${shown.slice(0, shownMax)}…` : shown}; allowed: ${issue.message}`);
}

/** `policies[0].limits[1]` */
function placeOf(place: Place): string {
  return (
    place.map((name, i) => (typeof name === 'number' ? `[${name}]` : `${i > 0 ? '.' : ''}${String(name)}`)).join('') ||
    'it'
  );
}

/** Where in the text it stands, or the nearest that holds it. */
function offsetOf(node: ParsedNode | null, place: Place): number {
  let at: unknown = node;
  let offset = node?.range?.[0] ?? 0;
  for (const name of place) {
    if (!isMap(at) && !(at as { items?: unknown })?.items) break;
    const pair = isMap(at) ? at.items.find(({ key }) => (key as { value?: unknown }).value === name) : undefined;
    const key = pair?.key as ParsedNode | undefined;
    at = (at as { get(name: unknown, keepScalar: boolean): unknown }).get(name, true);
    const range = key?.range ?? (at as ParsedNode | undefined)?.range;
    if (!range) break;
    offset = range[0];
  }
  return offset;
}

function policyOf(written: WrittenPolicy, place: Place, options: PoliciesOptions, tell: Tell): Policy {
  const { name, match = {}, cost = 1 } = written;
  const path = match.path === undefined ? undefined : pathPatternOf(match.path);
  const key = keyOf(written);
  if (isGiven(written)) {
    const allowed = 'not there, with a key that is given';
    if (written.match) tell([...place, 'match'], `says which requests it is for; allowed: ${allowed}`);
    if (typeof cost !== 'number') tell([...place, 'cost', 'header'], `is a header of a request; allowed: ${allowed}`);
  }
  const known = path ? parametersIn(path) : [];
  for (const part of key) {
    if (part.kind === 'path' && !known.includes(part.name)) {
      const allowed = known.length > 0 ? known.join(', ') : 'none, since match.path has no parameter such as :id';
      tell([...place, 'key'], `names the path parameter ${part.name}; allowed: ${allowed}`);
    }
  }
  const limits = limitsOf(written, place, options, tell);
  const capacityMin = Math.min(...limits.map(({ shared }) => shared.capacity));
  const costMax = typeof cost === 'number' ? cost : cost.max;
  if (costMax > capacityMin) {
    const at = typeof cost === 'number' ? ['cost'] : ['cost', 'max'];
    tell([...place, ...at], `is ${costMax}; allowed: up to ${capacityMin}, the smallest capacity of its limits`);
  }
  return policyOfParts({
    name,
    limits,
    match: isGiven(written) ? noRequest : { ...methodsOf(match.method), ...(path ? { path } : {}) },
    key,
    cost: typeof cost === 'number' ? cost : { header: cost.header.toLowerCase(), max: cost.max },
    isShadow: written.shadow === true,
  });
}

/** Of no method. */
const noRequest: Match = { methods: [] };

/** Whether its key is none of a request's: only who asks by the policy's name gives one. */
function isGiven({ key }: WrittenPolicy): boolean {
  return key === givenKey;
}

function keyOf(written: WrittenPolicy): readonly KeyPart[] {
  if (isGiven(written)) return [];
  const { key } = written;
  return (Array.isArray(key) ? key : [key]).map((text) => keyPartOf(text) as KeyPart);
}

function methodsOf(method: string | readonly string[] | undefined): { readonly methods?: readonly string[] } {
  if (method === undefined) return {};
  return { methods: typeof method === 'string' ? [method] : method };
}

function limitsOf(written: WrittenPolicy, place: Place, { instances = 1 }: PoliciesOptions, tell: Tell): Limit[] {
  const windows: string[] = [];
  return written.limits.map((limit, i) => {
    const rate = rateIn(limit);
    const window = `${Number((rate.capacity / rate.refillPerSecond).toFixed(3))}s`;
    if (windows.includes(window)) {
      tell([...place, 'limits', i], `has a window of ${window} as one before it; allowed: limits of different windows`);
    }
    windows.push(window);
    return createLimit({
      ...rate,
      name: written.limits.length === 1 ? written.name : `${written.name}-${window}`,
      prefix: `${written.name}/${window}/`,
      fallbackCapacity: fallbackCapacityIn(limit) ?? Math.ceil(rate.capacity / instances),
      onStoreFailure: onStoreFailureIn(written),
    });
  });
}

function rateIn(limit: WrittenLimit): Rate {
  if (typeof limit === 'string') return rateOf(limit) as Rate;
  const { capacity } = limit;
  return 'windowSeconds' in limit
    ? { capacity, refillPerSecond: capacity / limit.windowSeconds }
    : { capacity, refillPerSecond: limit.refillPerSecond };
}

function fallbackCapacityIn(limit: WrittenLimit): number | undefined {
  return typeof limit === 'string' ? undefined : limit.fallbackCapacity;
}

function onStoreFailureIn({ onStoreFailure = 'fallback' }: WrittenPolicy): OnStoreFailure {
  if (typeof onStoreFailure === 'string') return { mode: onStoreFailure, forMs: Number.POSITIVE_INFINITY };
  if ('open' in onStoreFailure) return { mode: 'open', forMs: 1000 * onStoreFailure.open.forSeconds };
  return { mode: 'closed', forMs: 1000 * onStoreFailure.closed.forSeconds };
}

/** What is wrong with the policies beside each other. */
function tellTogether(policies: readonly WrittenPolicy[], { isCluster }: PoliciesOptions, tell: Tell): void {
  for (const [i, policy] of policies.entries()) {
    const others = policies.slice(0, i);
    if (others.some(({ name }) => name === policy.name)) {
      tell(['policies', i, 'name'], `is ${policy.name}, as of one before it; allowed: a name of its own`);
    }
    const other = isCluster && others.find((it) => makeOneTake(it, policy) && !haveOneKey(it, policy));
    if (other) {
      const allowed = `with Redis Cluster the key of ${other.name}, which may be for the same request`;
      tell(['policies', i, 'key'], `is another than that of ${other.name}; allowed: ${allowed}`);
    }
  }
}

/** Whether a request may be both policies'; one that is only tried out makes a take of its own. */
function makeOneTake(first: WrittenPolicy, second: WrittenPolicy): boolean {
  if (first.shadow || second.shadow || isGiven(first) || isGiven(second)) return false;
  const [{ match: one = {} }, { match: other = {} }] = [first, second];
  const [{ methods }, { methods: others }] = [methodsOf(one.method), methodsOf(other.method)];
  if (methods && others && !methods.some((method) => others.includes(method))) return false;
  if (one.path === undefined || other.path === undefined) return true;
  return mayMeet(pathPatternOf(one.path) as PathPattern, pathPatternOf(other.path) as PathPattern);
}

function haveOneKey(one: WrittenPolicy, other: WrittenPolicy): boolean {
  return JSON.stringify(keyOf(one)) === JSON.stringify(keyOf(other));
}
