// `GET /openapi.json`: what all other routes are.

import { z } from 'zod';
import type { ApiParts } from './api-parts.ts';
import { openApiOf } from './openapi.ts';
import { type AnyRoute, defineRoute } from './route.ts';

export function openApiRoute(routes: readonly AnyRoute[], { tokens }: ApiParts): AnyRoute {
  let document: object | undefined; // made once it is asked for: making it takes some milliseconds
  return defineRoute({
    method: 'GET',
    path: '/openapi.json',
    summary: 'Describes these routes.',
    access: 'public',
    request: {},
    answers: { 200: { description: 'OpenAPI 3.1.', schema: z.object({}) } },
    handle() {
      document ??= openApiOf({ routes, isGuarded: tokens.api !== undefined });
      return { status: 200, body: document };
    },
  });
}
