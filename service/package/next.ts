// The limiter for what handles a request of the Fetch API by itself: a route handler or the middleware of Next.js, on Node.
//
//   const refuse = rateLimit({ limiter, key });
//   export const GET = async (request) => (await refuse(request)) ?? Response.json({});

import { createRequestGate, type RateLimitOptions } from './request-gate.ts';

/** There, nobody knows the client's address: the key is the application's to say. */
export type FetchRateLimitOptions<FetchRequest extends Request = Request> = RateLimitOptions<FetchRequest> &
  Required<Pick<RateLimitOptions<FetchRequest>, 'key'>>;

/**
 * Resolves to the answer of a request that may not go on, 429 with `application/problem+json`; to undefined for one that may.
 * Throws an `OptionsError`.
 *
 * @example
 * const refuse = rateLimit({ limiter, key: (request) => request.headers.get('x-real-ip') ?? undefined });
 * export async function GET(request: Request) {
 *   return (await refuse(request)) ?? Response.json({ hello: 'world' });
 * }
 */
export function rateLimit<FetchRequest extends Request = Request>(
  options: FetchRateLimitOptions<FetchRequest>,
): (request: FetchRequest) => Promise<Response | undefined> {
  const gate = createRequestGate(options, () => undefined, 'const refuse = rateLimit({ limiter, key })');
  return async (request) => {
    const verdict = await gate(request);
    if (!verdict?.refusal) return undefined;
    const { status, contentType, body } = verdict.refusal;
    const headers = verdict.headers.map(([name, value]): [string, string] => [name, value]);
    return new Response(body, { status, headers: [...headers, ['Content-Type', contentType]] });
  };
}
