// The JSON API: from a request to its route's answer. Unlike the other doors it waits for the body.
//
//   path ─▶ method ─▶ token ─▶ body ─▶ schemas ─▶ route ─▶ answer
//     │       405      401   413, 415    400        │ 4xx
//     └─▶ none of its routes: another door's
//
// It is asked about keys of others by those who serve them, so no policy limits these requests themselves.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Waiting } from '../intake.ts';
import { pathOf, queryIn } from '../request-target.ts';
import { withoutBody } from '../unread-body.ts';
import { readJson } from './body.ts';
import { readBy } from './field-mistakes.ts';
import { parametersIn } from './path-parameters.ts';
import { Refusal } from './refusal.ts';
import type { Answer, AnyRoute } from './route.ts';
import { type Place, RouteTable } from './route-table.ts';
import { noFields } from './shapes.ts';
import { createGuard, type Tokens } from './tokens.ts';

export interface JsonDoorOptions {
  /** Those that need the admin's token are not there when it has none. */
  readonly routes: readonly AnyRoute[];
  readonly tokens: Tokens;
  readonly onDefect: (error: unknown) => void;
}

/** Answers the request if there are routes at its path; false when there are none. */
export type JsonDoor = (request: IncomingMessage, response: ServerResponse, waiting: Waiting | undefined) => boolean;

export function createJsonDoor({ routes, tokens, onDefect }: JsonDoorOptions): JsonDoor {
  const table = new RouteTable(routes);
  const guard = createGuard(tokens);

  const answerTo = async (
    { methods, parameters }: Place,
    request: IncomingMessage,
    response: ServerResponse,
    received: () => void,
  ): Promise<void> => {
    const route = methods.get(request.method ?? '');
    if (!route) throw methodNotAllowed(request.method, [...methods.keys()]);
    guard(route.access, request.headers.authorization);
    const { body: schema, readBody, bodyBytesMax, query, parameters: schemaOfPath } = route.request;
    const body = schema ? await readJson(request, response, bodyBytesMax) : await withoutBody(request, response);
    received();
    const asked = {
      body: schema && (readBody ? readBody(body) : readBy(schema, body, 'body')),
      query: readBy(query ?? noFields, queryIn(request.url), 'query'),
      parameters: schemaOfPath && readBy(schemaOfPath, parametersIn(parameters), 'path'),
    };
    send(response, await route.handle(asked as never), 'application/json');
  };

  return (request, response, waiting) => {
    const place = table.at(pathOf(request.url));
    if (!place) return false;
    let isReceived = false;
    // Only now: the rest of a body may be behind what the intake holds back while a request waits.
    const received = () => {
      if (isReceived) return;
      isReceived = true;
      waiting?.begin();
    };
    const answered = () => {
      if (isReceived) waiting?.end();
    };
    const failed = async (error: unknown) => {
      if (!(error instanceof Refusal)) onDefect(error);
      await withoutBody(request, response);
      received();
      refuse(response, error instanceof Refusal ? error : new Refusal(500, 'Internal error', 'A defect.'));
      answered();
    };
    answerTo(place, request, response, received).then(answered, failed);
    return true;
  };
}

function methodNotAllowed(method: string | undefined, allowed: readonly string[]): Refusal {
  const detail = `${method} is not served here; ${allowed.join(' and ')} ${allowed.length === 1 ? 'is' : 'are'}.`;
  return new Refusal(405, 'Method not allowed', detail, { headers: { Allow: allowed.join(', ') } });
}

/** Answers with it; no answer may have begun. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  const { status, problem, headers } = refusal;
  send(response, { status, body: problem, headers }, 'application/problem+json');
}

function send(response: ServerResponse, { status, body, headers }: Answer, type: string): void {
  const text = JSON.stringify(body);
  const own = headers ? Object.entries(headers).flat() : [];
  const bytes = Buffer.byteLength(text);
  response
    .writeHead(status, [...own, 'Content-Type', type, 'Content-Length', String(bytes)])
    .end(text, bytes === text.length ? 'latin1' : 'utf8'); // one-byte characters are written faster as such
}
