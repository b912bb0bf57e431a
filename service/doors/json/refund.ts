// `POST /v1/refund`: gives back what a take cost, when what it was for came to nothing.

import { z } from 'zod';
import type { ApiParts } from './api-parts.ts';
import { bucketsAnswerOf, bucketsShape, orRefusal, storeRefusals } from './buckets-shape.ts';
import { checkShape, claimOfCheck } from './check-shape.ts';
import { keyFormShape } from './key-form.ts';
import { knownIn } from './known-policies.ts';
import { badRequest } from './refusal.ts';
import { type AnyRoute, defineRoute } from './route.ts';
import { fields } from './shapes.ts';

const idBytesMax = 128;
const idError = `a string of 1 to ${idBytesMax} bytes in UTF-8`;

const refundShape = fields({
  ...checkShape.shape,
  id: z
    .string({ error: idError })
    .min(1, { error: idError })
    .refine((id) => id.isWellFormed() && Buffer.byteLength(id) <= idBytesMax, { error: idError })
    .describe('Name of the refund. A second one of this name gives the same key nothing, for 24 hours.'),
  form: keyFormShape,
});

const answer = bucketsShape.extend({ refunded: z.boolean().describe('false: a refund with this id has been before.') });

export function refundRoute({ buckets, policies }: ApiParts): AnyRoute {
  return defineRoute<z.infer<typeof refundShape>>({
    method: 'POST',
    path: '/v1/refund',
    summary: 'Gives tokens back to the buckets of a key, once for each id, and never more than fill them.',
    access: 'admin',
    request: { body: refundShape },
    refusals: storeRefusals,
    answers: { 200: { description: 'The buckets afterwards.', schema: answer } },
    async handle({ body: { id, ...check } }) {
      const claim = claimOfCheck(check, knownIn(policies()), '');
      if (!('take' in claim)) throw badRequest([claim.mistake], claim.status);
      const { isNew, decision } = await orRefusal(buckets.refund(claim.take, id));
      return { status: 200, body: { ...bucketsAnswerOf(decision, claim.policy), refunded: isNew } };
    },
  });
}
