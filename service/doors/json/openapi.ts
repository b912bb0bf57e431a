// The routes as an OpenAPI 3.1 document, made from what they are served by.

import { z } from 'zod';
import { problemShape } from './refusal.ts';
import type { Access, AnyRoute } from './route.ts';

/** Of the API, not of the service. */
const version = '1.0.0';

/** Schemes of which one is enough. */
const securityOf: Readonly<Record<Access, readonly string[]>> = {
  public: [],
  api: ['apiToken', 'adminToken'],
  admin: ['adminToken'],
};

export interface OpenApiOptions {
  readonly routes: readonly AnyRoute[];
  /** Whether routes of access `api` need a token. */
  readonly isGuarded: boolean;
}

export function openApiOf({ routes, isGuarded }: OpenApiOptions): object {
  const accessOf = ({ access }: AnyRoute): Access => (access === 'api' && !isGuarded ? 'public' : access);
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, own]) => [
    path,
    Object.fromEntries(own.map((route) => [route.method.toLowerCase(), operationOf(route, accessOf(route))])),
  ]);
  const schemes = new Set(routes.flatMap((route) => securityOf[accessOf(route)]));
  return {
    openapi: '3.1.1',
    info: { title: 'Rate limiter', version, description: 'Decisions by rate limits, for those who serve others.' },
    paths: Object.fromEntries(paths),
    components: {
      schemas: { Problem: schemaOf(problemShape) },
      ...(schemes.size > 0
        ? {
            securitySchemes: Object.fromEntries([...schemes].map((name) => [name, { type: 'http', scheme: 'bearer' }])),
          }
        : {}),
    },
  };
}

function operationOf(route: AnyRoute, access: Access): object {
  const { body, query, parameters } = route.request;
  const inBody = body && { required: true, content: { 'application/json': { schema: schemaOf(body) } } };
  return {
    summary: route.summary,
    operationId: operationIdOf(route),
    ...(access === 'public' ? {} : { security: securityOf[access].map((name) => ({ [name]: [] })) }),
    parameters: [...parametersOf(parameters, 'path'), ...parametersOf(query, 'query')],
    ...(inBody ? { requestBody: inBody } : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { description, schema }]) => [
          status,
          { description, content: { 'application/json': { schema: schemaOf(schema) } } },
        ]),
      ),
      ...Object.fromEntries(refusalsOf(route, access).map(([status, description]) => [status, problem(description)])),
    },
  };
}

/** `postV1CheckBatch` */
function operationIdOf({ method, path }: AnyRoute): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => (word[0] as string).toUpperCase() + word.slice(1)).join('');
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query'): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema) as {
    readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...own }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: own,
  }));
}

/** What the door says by itself, and the route's own refusals. */
function refusalsOf({ request, refusals = {} }: AnyRoute, access: Access): readonly (readonly [string, string])[] {
  const own: Readonly<Record<string, string>> = {
    400: 'A field is wrong; the problem names it.',
    ...(access === 'public' ? {} : { 401: 'No token, or a wrong one.' }),
    ...(request.body ? { 413: 'The body is too large, or a key in it.', 415: 'The body is not JSON in UTF-8.' } : {}),
    ...refusals,
  };
  return Object.entries(own);
}

function problem(description: string): object {
  return { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
