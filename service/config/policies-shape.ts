// What a policies file says: the schema that reads one, and from which policies.schema.json is made for editors.

import { METHODS } from 'node:http';
import { z } from 'zod';
import { pathPatternOf } from '../doors/path-pattern.ts';
import { givenKey, keyPartAllowed, keyPartOf } from '../doors/policy-key.ts';
import { onStoreFailure, strict, whole, written } from './field-shapes.ts';
import { capacityMax, limitAllowed, rateOf } from './limit-text.ts';

const header = written((text) => /^[\w!#$%&'*+.^`|~-]+$/.test(text), 'the name of a header');

/** Seconds of the longest window. */
const windowMax = 31_536_000;
const sizes = {
  capacity: whole(1, capacityMax).describe('Tokens that a key may spend at once.'),
  fallbackCapacity: whole(1, capacityMax)
    .exactOptional()
    .describe('Of a fallback bucket on one instance. By default the capacity divided by INSTANCES, where that is set.'),
};
const refillError = `a number over 0, by which an empty bucket is full within ${windowMax} s`;
const limit = z.union(
  [
    written(rateOf, limitAllowed),
    strict({ ...sizes, windowSeconds: whole(1, windowMax).describe('Time in which an empty bucket refills.') }),
    strict({ ...sizes, refillPerSecond: z.number({ error: refillError }).gt(0, { error: refillError }) }).refine(
      ({ capacity, refillPerSecond }) => capacity / refillPerSecond <= windowMax,
      { error: refillError, path: ['refillPerSecond'] },
    ),
  ],
  {
    error: `${limitAllowed}; or a mapping of capacity, up to ${capacityMax}, and either windowSeconds or refillPerSecond, and perhaps fallbackCapacity`,
  },
);

const limitsError = 'a list of 1 to 8 limits';
const limits = z.array(limit, { error: limitsError }).min(1, { error: limitsError }).max(8, { error: limitsError });

const keyPart = written(keyPartOf, `${keyPartAllowed}, or a list of these`);
const method = z.literal(METHODS, { error: 'methods of HTTP in capitals, as GET' });

const methodsError = 'a method of HTTP in capitals, as GET, or a list of them';
const keyError = `given, ${keyPartAllowed}, or a list of up to 5 of these but given`;

export const policy = strict({
  name: written(
    (text) => /^[a-z0-9]+([-_][a-z0-9]+)*$/.test(text) && text.length <= 60,
    'a text of up to 60 of a-z, 0-9, - and _; one such as 2024 or true in quotes',
  ),
  match: strict({
    method: z
      .union([method, z.array(method).min(1, { error: methodsError })], { error: methodsError })
      .exactOptional()
      .describe('GET includes HEAD.'),
    path: written(
      pathPatternOf,
      'a path such as /search, /search/*, /users/:id or /a%20b, without \\ and the segments . and ..',
    ).exactOptional(),
  })
    .exactOptional()
    .describe('Which requests it is for; without it, all.'),
  key: z
    .union([z.literal(givenKey), keyPart, z.array(keyPart).min(1, { error: keyError }).max(5, { error: keyError })], {
      error: keyError,
    })
    .describe('Whose buckets a request takes from. given: it is for no request, only for a check by its name.'),
  limits: limits.describe('All of them must allow a request.'),
  candidate: limits
    .exactOptional()
    .describe('Tried out beside the limits: what they would decide is counted, and nobody is answered by it.'),
  cost: z
    .union([whole(1, capacityMax), strict({ header, max: whole(1, capacityMax) })], {
      error: 'a whole number from 1, or a mapping of header and max',
    })
    .exactOptional()
    .describe('Tokens of a request; 1 without it.'),
  onStoreFailure: onStoreFailure.exactOptional(),
  shadow: z
    .boolean({ error: 'true, false' })
    .exactOptional()
    .describe('Only tried out: its decisions are counted, and nobody is answered by them.'),
});

export const policiesFile = strict({
  policies: z
    .array(policy, { error: 'a list of 1 to 1000 policies' })
    .min(1, { error: 'a list of 1 to 1000 policies' })
    .max(1000, { error: 'a list of 1 to 1000 policies' }),
});

export type PoliciesFile = z.infer<typeof policiesFile>;
export type WrittenPolicy = PoliciesFile['policies'][number];
export type WrittenLimit = WrittenPolicy['limits'][number];

/** For editors, as JSON Schema. */
export function policiesSchema(): string {
  const schema = z.toJSONSchema(policiesFile, { io: 'input' });
  return `${JSON.stringify({ title: 'Policies of a rate limiter', ...schema }, undefined, 2)}\n`;
}
