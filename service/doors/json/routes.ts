// The routes of the JSON API: a route is one file, and one line here.

import type { ApiParts } from './api-parts.ts';
import { lookRoute, resetRoute } from './buckets.ts';
import { checkRoute } from './check.ts';
import { checkBatchRoute } from './check-batch.ts';
import { explainRoute } from './explain.ts';
import { openApiRoute } from './openapi-route.ts';
import { policiesRoute } from './policies.ts';
import { refundRoute } from './refund.ts';
import type { AnyRoute } from './route.ts';
import { topRoute } from './top.ts';

/** Those that need the admin's token are there only when it has one. */
export function routesOf(parts: ApiParts): readonly AnyRoute[] {
  const routes = [
    checkRoute(parts),
    checkBatchRoute(parts),
    policiesRoute(parts),
    explainRoute(parts),
    lookRoute(parts),
    resetRoute(parts),
    refundRoute(parts),
    topRoute(parts),
  ].filter(({ access }) => access !== 'admin' || parts.tokens.admin !== undefined);
  return [...routes, openApiRoute(routes, parts)];
}
