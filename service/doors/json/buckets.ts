// `/v1/buckets/{policy}/{key}`: a look that takes nothing, and a reset.

import { z } from 'zod';
import type { Decision, Take } from '../../core/store.ts';
import type { ApiParts } from './api-parts.ts';
import { bucketsAnswerOf, bucketsShape, orRefusal, storeRefusals } from './buckets-shape.ts';
import { claimOfCheck, keyShape } from './check-shape.ts';
import { shown } from './field-mistakes.ts';
import { keyFormShape } from './key-form.ts';
import { knownIn } from './known-policies.ts';
import { badRequest, Refusal } from './refusal.ts';
import { type Answer, type AnyRoute, type Asked, defineRoute } from './route.ts';
import { fields } from './shapes.ts';

const path = '/v1/buckets/{policy}/{key}';
const query = fields({ form: keyFormShape });
const parameters = fields({ policy: z.string(), key: keyShape });

type Query = z.infer<typeof query>;
type Parameters = z.infer<typeof parameters>;
type Handle = (asked: Asked<undefined, Query, Parameters>) => Promise<Answer>;

const refusals = { 404: 'There is no such policy.', 413: 'The key is too long.' };

export function lookRoute({ buckets, policies }: ApiParts): AnyRoute {
  return defineRoute<undefined, Query, Parameters>({
    method: 'GET',
    path,
    summary: 'Looks at the buckets of a key, and takes nothing.',
    access: 'api',
    request: { query, parameters },
    refusals,
    answers: { 200: { description: 'As they are now.', schema: bucketsShape } },
    handle: handledBy(policies, (take) => buckets.look(take)),
  });
}

export function resetRoute({ buckets, policies }: ApiParts): AnyRoute {
  return defineRoute<undefined, Query, Parameters>({
    method: 'DELETE',
    path,
    summary: 'Fills the buckets of a key: it is allowed at once.',
    access: 'admin',
    request: { query, parameters },
    refusals: { ...refusals, ...storeRefusals },
    answers: { 200: { description: 'As they are now: full.', schema: bucketsShape } },
    handle: handledBy(policies, (take) => orRefusal(buckets.reset(take))),
  });
}

/** Answers with what a take of one token would be told by the policy's buckets for the key. */
function handledBy(policies: ApiParts['policies'], done: (take: Take) => Promise<Decision>): Handle {
  return async ({ query: { form }, parameters: { policy: name, key } }) => {
    const known = knownIn(policies());
    if (!known.byName.has(name)) {
      const detail = `policy is ${shown(name)}; allowed: ${known.names}`;
      throw new Refusal(404, 'Not found', `${detail}.`, { errors: [{ field: 'policy', detail }] });
    }
    const claim = claimOfCheck({ key, policy: name, cost: 1, form }, known, '');
    if (!('take' in claim)) throw badRequest([claim.mistake], claim.status);
    return { status: 200, body: bucketsAnswerOf(await done(claim.take), claim.policy) };
  };
}
