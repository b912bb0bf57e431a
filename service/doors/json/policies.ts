// `GET /v1/policies`: what there is to be asked by.

import { z } from 'zod';
import type { Policy } from '../policy.ts';
import type { ApiParts } from './api-parts.ts';
import { type AnyRoute, defineRoute } from './route.ts';

const policyShape = z.object({
  name: z.string(),
  limits: z.array(
    z.object({
      name: z.string().describe('As in the header RateLimit-Policy.'),
      capacity: z.int().min(1).describe('Tokens.'),
      windowMs: z.number().gt(0).describe('Time in which an empty bucket refills.'),
    }),
  ),
  shadow: z.boolean().describe('Whether it is only tried out.'),
});

export function policiesRoute({ policies }: ApiParts): AnyRoute {
  return defineRoute({
    method: 'GET',
    path: '/v1/policies',
    summary: 'Lists the policies, and the limits of each.',
    access: 'api',
    request: {},
    answers: {
      200: { description: 'In the order of their file.', schema: z.object({ policies: z.array(policyShape) }) },
    },
    handle: () => ({ status: 200, body: { policies: policies().map(shapeOf) } }),
  });
}

function shapeOf({ name, limits, isShadow }: Policy): z.infer<typeof policyShape> {
  return { name, limits: limits.map(({ shared: { quota } }) => quota), shadow: isShadow };
}
