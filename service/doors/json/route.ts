// A route of the JSON API: one entry, by which the door answers and from which the OpenAPI document is made.

import type { z } from 'zod';

/** Who may use a route: anybody, whoever has the API's token where there is one, or only whoever has the admin's. */
export type Access = 'public' | 'api' | 'admin';

/** What the client sent, as the route's schemas give it. */
export interface Asked<Body, Query, Parameters> {
  readonly body: Body;
  readonly query: Query;
  readonly parameters: Parameters;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route<Body = never, Query = never, Parameters = never> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** A parameter is one segment, in braces: `/v1/buckets/{policy}/{key}`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** In `error` of each schema stands what is allowed. */
  readonly request: {
    readonly body?: z.ZodType<Body>;
    /** Reads the body in place of its schema, to the same end, where the schema takes too long. Throws a `Refusal`. */
    readonly readBody?: (body: unknown) => Body;
    /** Bytes of the longest body; 16 KiB without it. */
    readonly bodyBytesMax?: number;
    /** Of strings; each parameter at most once. Without it there are none. */
    readonly query?: z.ZodType<Query>;
    /** Of strings, decoded. */
    readonly parameters?: z.ZodType<Parameters>;
  };
  /** What its refusals mean, by their statuses, where the door does not refuse so by itself. */
  readonly refusals?: Readonly<Record<number, string>>;
  /** By their statuses. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: z.ZodType }>>;
  /** Throws a `Refusal` for what the schemas cannot tell. */
  readonly handle: (asked: Asked<Body, Query, Parameters>) => Answer | Promise<Answer>;
}

/** A route, whatever its schemas are: the door hands each what its own schemas have read. */
export type AnyRoute = Omit<Route<unknown, unknown, unknown>, 'handle'> & {
  readonly handle: (asked: Asked<never, never, never>) => Answer | Promise<Answer>;
};

/** The same, with the types of its schemas seen to fit. */
export function defineRoute<Body = undefined, Query = undefined, Parameters = undefined>(
  route: Route<Body, Query, Parameters>,
): AnyRoute {
  return route;
}
