// `POST /v1/check`: one decision.

import { z } from 'zod';
import type { Decision, Store, Take } from '../../core/store.ts';
import { retryAfterSeconds } from '../headers.ts';
import type { ApiParts } from './api-parts.ts';
import { type Check, checkShape, claimOfCheck, isCheck } from './check-shape.ts';
import { answerOf, decisionShape } from './decision-shape.ts';
import { readBy } from './field-mistakes.ts';
import { knownIn } from './known-policies.ts';
import { badRequest } from './refusal.ts';
import { type AnyRoute, defineRoute } from './route.ts';
import { fields } from './shapes.ts';

const query = fields({
  status: z
    .literal('429', { error: '429' })
    .optional()
    .describe('To be answered 429 where the take is not allowed; without it, the status is 200 either way.'),
});

export function checkRoute({ limiter, policies }: ApiParts): AnyRoute {
  return defineRoute<Check, z.infer<typeof query>>({
    method: 'POST',
    path: '/v1/check',
    summary: 'Takes tokens of a key, if all its limits allow it.',
    access: 'api',
    request: {
      body: checkShape,
      readBody: (body) => (isCheck(body) ? body : readBy(checkShape, body, 'body')),
      query,
    },
    answers: {
      200: { description: 'The decision.', schema: decisionShape },
      429: { description: 'The decision, not allowed, where that status is asked for.', schema: decisionShape },
    },
    async handle({ body, query: { status } }) {
      const claim = claimOfCheck(body, knownIn(policies()), '');
      if (!('take' in claim)) throw badRequest([claim.mistake], claim.status);
      const { take, shadows, policy } = claim;
      const decision = await (shadows.length === 0 ? limiter.decide(take) : decideWith(shadows, take, limiter));
      const answer = answerOf(decision, policy);
      if (answer.allowed || status === undefined) return { status: 200, body: answer };
      const { retryAfterMs } = answer;
      const headers = retryAfterMs === undefined ? {} : { 'Retry-After': String(retryAfterSeconds({ retryAfterMs })) };
      return { status: 429, body: answer, headers };
    },
  });
}

/** The decision of the take, once the shadows are decided too. */
async function decideWith(shadows: readonly Take[], take: Take, limiter: Store): Promise<Decision> {
  const [decision] = await Promise.all([take, ...shadows].map((it) => limiter.decide(it)));
  return decision as Decision;
}
