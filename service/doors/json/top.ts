// `GET /v1/top`: whose requests are refused most.

import { z } from 'zod';
import type { ApiParts } from './api-parts.ts';
import { type AnyRoute, defineRoute } from './route.ts';

const toldMax = 100;

const topShape = z.object({
  keys: z
    .array(
      z.object({
        policy: z.string(),
        key: z.string().describe('As in the names of its buckets in Redis.'),
        refused: z.int().min(1).describe('Takes that were refused in the last five to ten minutes, at the most.'),
        errorAtMost: z.int().min(0).describe('By so much `refused` may be too high.'),
      }),
    )
    .max(toldMax),
});

export function topRoute({ top, hashKey }: ApiParts): AnyRoute {
  return defineRoute({
    method: 'GET',
    path: '/v1/top',
    summary: 'The keys that this instance refuses most, over all its workers.',
    access: 'admin',
    request: {},
    refusals: { 503: 'The workers could not be asked in time.' },
    answers: { 200: { description: 'Most refused first.', schema: topShape } },
    async handle() {
      const keys = (await top()).keys.slice(0, toldMax);
      return { status: 200, body: { keys: hashKey ? keys.map((it) => ({ ...it, key: hashKey(it.key) })) : keys } };
    },
  });
}
