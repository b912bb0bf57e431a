// A check: may this key have so many tokens now? What a client writes, and the take that it comes to.

import { z } from 'zod';
import { type Take, takeOf } from '../../core/store.ts';
import { candidateOf, type Policy } from '../policy.ts';
import { shown } from './field-mistakes.ts';
import { bucketKeyOf, type KeyForm, keyBytesMax } from './key-form.ts';
import type { KnownPolicies } from './known-policies.ts';
import type { FieldMistake } from './refusal.ts';
import { fields } from './shapes.ts';

const keyError = `a string of 1 to ${keyBytesMax.given} bytes in UTF-8`;
/** Whose bucket it is, as its caller calls it. */
export const keyShape = z
  .string({ error: keyError })
  .min(1, { error: keyError })
  // Half of a surrogate pair has no UTF-8: in Redis, all such keys would be one.
  .refine((key) => key.isWellFormed(), { error: `${keyError}, without half of a surrogate pair` })
  .describe('Whose tokens these are. It never meets a key from a header or an address.');

const costError = 'a whole number, 1 or more';
export const checkShape = fields({
  key: keyShape,
  policy: z
    .string({ error: 'the name of a policy' })
    .optional()
    .describe('Without it, the policy named default, or the only one.'),
  cost: z
    .number({ error: costError })
    .int({ error: costError })
    .min(1, { error: costError })
    .optional()
    .describe("Tokens. Without it, the policy's own cost where that is a number, or else 1."),
});

export interface Check {
  readonly key: string;
  readonly policy?: string | undefined;
  readonly cost?: number | undefined;
}

/** Whether `checkShape` would take it: told without the schema, which takes long when it is new and when there are many. */
export function isCheck(value: unknown): value is Check {
  if (typeof value !== 'object' || value === null) return false;
  const { key, policy, cost } = value as Partial<Check>;
  if (typeof key !== 'string' || key === '' || !key.isWellFormed()) return false;
  if (policy !== undefined && typeof policy !== 'string') return false;
  if (cost !== undefined && !(Number.isSafeInteger(cost) && cost >= 1)) return false;
  let others = 1 + (policy === undefined ? 0 : 1) + (cost === undefined ? 0 : 1);
  for (const _ in value) if (--others < 0) return false;
  return true;
}

export interface Claim {
  readonly policy: Policy;
  readonly take: Take;
  /** What its candidate would decide on is counted, and answers nobody. */
  readonly shadows: readonly Take[];
}

/** Mistakes that no schema can tell, and the status of the refusal. */
export interface Misfit {
  readonly status: 400 | 413;
  readonly mistake: FieldMistake;
}

/** `field`: what goes before the name of each field, as in `checks[3].`. */
export function claimOfCheck(
  { key, policy: name, cost, form = 'given' }: Check & { readonly form?: KeyForm | undefined },
  known: KnownPolicies,
  field: string,
): Claim | Misfit {
  const bytesMax = keyBytesMax[form];
  if (key.length * 3 > bytesMax && Buffer.byteLength(key) > bytesMax) {
    return misfit(
      413,
      `${field}key`,
      `has ${Buffer.byteLength(key)} bytes; allowed: a string of 1 to ${bytesMax} bytes in UTF-8`,
    );
  }
  const policy = name === undefined ? known.standard : known.byName.get(name);
  if (!policy) return misfit(400, `${field}policy`, `is ${shown(name)}; allowed: ${known.names}`);
  const tokens = cost ?? (typeof policy.cost === 'number' ? policy.cost : 1);
  if (tokens > 1 && tokens > smallestCapacityOf(policy)) {
    const allowed = `up to ${smallestCapacityOf(policy)}, the smallest capacity of ${policy.name}`;
    return misfit(400, `${field}cost`, `is ${tokens}; allowed: ${allowed}`);
  }
  const take = takeOf(policy.limits, bucketKeyOf(key, form), tokens);
  const shadows = policy.candidate.length > 0 ? [candidateOf(policy, take)] : [];
  return { policy, take: policy.isShadow ? { ...take, shadowOf: policy.name } : take, shadows };
}

function smallestCapacityOf({ limits }: Policy): number {
  return Math.min(...limits.map(({ shared }) => shared.capacity));
}

function misfit(status: Misfit['status'], field: string, is: string): Misfit {
  return { status, mistake: { field, detail: `${field} ${is}` } };
}
