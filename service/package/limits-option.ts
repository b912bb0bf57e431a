// The limits of the package's options: those of policies, which have names, and those that a take brings along.

import { z } from 'zod';
import { type PoliciesOptions, policiesOf } from '../config/policies.ts';
import { tellMistakes } from '../config/policies-mistakes.ts';
import { policiesFile, type WrittenPolicy } from '../config/policies-shape.ts';
import type { Limit } from '../core/limit.ts';
import { tryReadBy } from '../doors/json/field-mistakes.ts';
import { fields } from '../doors/json/shapes.ts';
import { givenKey } from '../doors/policy-key.ts';
import { OptionsError } from './options-error.ts';

/** What of a policies file a program says, too. */
const { name, limits, onStoreFailure } = policiesFile.shape.policies.element.shape;

const namesAllowed = 'up to 60 of a-z, 0-9, - and _';
const policiesError = `an object of up to 1000 policies by names of ${namesAllowed}`;
const byName = z
  .record(z.string(), fields({ limits, onStoreFailure }), { error: policiesError })
  .superRefine((policies, { addIssue }) => {
    const keys = Object.keys(policies).filter((it) => !name.safeParse(it).success);
    if (keys.length > 0)
      addIssue({ code: 'unrecognized_keys', keys, message: `names of ${namesAllowed}`, input: policies });
  })
  .refine((policies) => Object.keys(policies).length <= 1000, { error: policiesError });

/** The fields of the options that say limits. */
export const limitsFields = { limits: limits.optional(), policies: byName.optional() };

export type WrittenLimits = z.infer<z.ZodObject<typeof limitsFields>>;

/** Of the policy that `limits` make. */
export const standardPolicy = 'default';

/** It has fields, where a list or a Map has entries, and a Promise or a Date nothing that is seen. */
export function isMapping(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Symbol.iterator in value) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.keys(value).length > 0;
}

/** What a schema is to see: of an object that has no fields, its name. */
export function asSeen(value: unknown): unknown {
  const isOpaque = typeof value === 'object' && value !== null && !Array.isArray(value) && !isMapping(value);
  return isOpaque ? Object.prototype.toString.call(value) : value;
}

/** The fields as their schema wants them: a limit alone becomes a list, and limits alone a policy. */
export function inFull({ limits, policies }: { readonly limits?: unknown; readonly policies?: unknown }): object {
  return {
    ...(limits === undefined ? {} : { limits: inList(limits) }),
    ...(policies === undefined ? {} : { policies: isMapping(policies) ? mapped(policies, policyInFull) : policies }),
  };
}

function policyInFull(policy: unknown): unknown {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) return { limits: inList(policy) };
  if ('limits' in policy) return { ...policy, limits: inList(policy.limits) };
  return 'capacity' in policy ? { limits: [policy] } : policy;
}

function inList(limits: unknown): unknown {
  return Array.isArray(limits) ? limits : [limits];
}

function mapped(object: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

export interface LimitsOptions extends PoliciesOptions {
  /** What the names of all buckets begin with. */
  readonly prefix: string;
  /** There is no Redis, and so no outage of it. */
  readonly isAlone: boolean;
}

/** The limits of each policy by its name. What is wrong is added to `mistakes`, a line each. */
export function limitsByPolicy(
  { limits, policies = limits ? { [standardPolicy]: { limits } } : {} }: WrittenLimits,
  options: LimitsOptions,
  mistakes: string[],
): ReadonlyMap<string, readonly Limit[]> {
  const written = Object.entries(policies).map(([name, policy]): WrittenPolicy => {
    const { onStoreFailure, ...rest } = policy;
    return { name, key: givenKey, ...rest, ...(onStoreFailure && !options.isAlone ? { onStoreFailure } : {}) };
  });
  tellMistakes([...written.entries()], options, ([, i, field, at], mistake) => {
    const of = limits ? '' : `policies.${written[i as number]?.name}.`;
    mistakes.push(`${of}${String(field)}${at === undefined ? '' : `[${String(at)}]`} ${mistake}`);
  });
  if (mistakes.length > 0) return new Map();
  const all = policiesOf(written, options);
  return new Map(
    all.map(({ name, limits }) => [name, limits.map((it) => ({ ...it, prefix: options.prefix + it.prefix }))]),
  );
}

/** More than an application has; those beyond are made anew each time. */
const ownMax = 1000;

/** The limits that takes bring along. */
export class OwnLimits {
  readonly #options: LimitsOptions;
  readonly #known = new Map<string, readonly Limit[]>();

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** The same each time. Throws an `OptionsError`. */
  of(given: unknown): readonly Limit[] {
    const text = textOf(given);
    if (text === undefined) return this.#read(given);
    let known = this.#known.get(text);
    if (!known) {
      known = this.#read(given);
      if (this.#known.size >= ownMax) this.#known.clear();
      this.#known.set(text, known);
    }
    return known;
  }

  #read(given: unknown): readonly Limit[] {
    const it = tryReadBy(fields({ limits }), inFull({ limits: given }), 'limits');
    if ('mistakes' in it)
      throw new OptionsError(
        'take',
        it.mistakes.map(({ detail }) => detail),
      );
    const mistakes: string[] = [];
    const [all = []] = limitsByPolicy(it.data, this.#options, mistakes).values();
    if (mistakes.length > 0) throw new OptionsError('take', mistakes);
    // No policy has such a name. Limits of another capacity are others, and have buckets of their own.
    return all.map((limit) => ({
      ...limit,
      prefix: `${this.#options.prefix}=${limit.shared.capacity}/${limit.shared.quota.windowMs}/`,
    }));
  }
}

/** Undefined for what no JSON can say, and so no limits are. */
function textOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  try {
    return JSON.stringify(given);
  } catch {
    return undefined;
  }
}
