// The routes of the standalone service.
//
//   GET / ──▶ gate ──▶ answer        what nearly every request asks for: nothing else is in its way
//   the JSON API ──▶ its door
//   the rest ──▶ Express             a body that has not come yet is not waited for: answered, and closed

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Request, type Response } from 'express';
import { forwardAuth } from './forward-auth.ts';
import { problem } from './headers.ts';
import type { Intake } from './intake.ts';
import { type JsonDoor, refuse } from './json/door.ts';
import { Refusal } from './json/refusal.ts';
import { type Gate, rateLimit } from './middleware.ts';
import type { Readiness } from './readiness.ts';
import { announcesBody, withoutBody } from './unread-body.ts';

export interface ApiOptions {
  readonly gate: Gate;
  readonly intake: Intake;
  /** What is not its own goes on to the other routes. */
  readonly json: JsonDoor;
  /** The page that Prometheus scrapes. */
  readonly page: () => Promise<string>;
  readonly pageContentType: string;
  readonly readiness: () => Readiness | Promise<Readiness>;
  readonly onError: (error: unknown) => void;
}

export function createApi({
  gate,
  intake,
  json,
  page,
  pageContentType,
  readiness,
  onError,
}: ApiOptions): RequestListener {
  const answerRoot = (request: IncomingMessage, response: ServerResponse) =>
    gate(request, response, (headers) => {
      headers.push('Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(successful.length));
      response.writeHead(200, headers).end(successful, 'latin1'); // in one write of one-byte characters
    });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing'); // as the JSON API's
  app.enable('strict routing');
  app.get('/', answerRoot); // with a query or a body, or HEAD
  app.get('/v1/auth', forwardAuth(gate));
  app.get('/healthz', (_request, response) => {
    response.type('text/plain').end('ok\n');
  });
  app.get('/readyz', async (_request, response) => {
    response.type('application/json').end(`${JSON.stringify(await readiness())}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    const text = await page();
    response.setHeader('Content-Type', pageContentType);
    response.end(text);
  });

  app.use(rateLimit(gate), (request, response) => {
    const known = served.has(request.path);
    if (known) response.setHeader('Allow', 'GET, HEAD');
    response.status(known ? 405 : 404).type('application/problem+json');
    response.end(
      known
        ? problem(405, 'Method not allowed', `${request.method} is not served here; GET and HEAD are.`)
        : problem(
            404,
            'Not found',
            'GET / and /v1/auth are what this service answers, and the JSON API, which /openapi.json describes; /metrics, /healthz and /readyz tell about it.',
          ),
    );
  });
  // In place of Express's own last handler, which waits for the end of the request: one without a body has none here.
  const throughExpress = (request: IncomingMessage, response: ServerResponse) =>
    app(request as Request, response as Response, (error: unknown) => {
      if (error === undefined || error === null) send(response, 400, problem(400, 'Bad request', targetUnread));
      else answerError(error, response, onError);
    });

  return (request, response) => {
    const waiting = intake.of(request.socket);
    if (request.url !== '/' || request.method !== 'GET' || announcesBody(request)) {
      if (json(request, response, waiting)) return;
      waiting?.begin();
      response.once('close', () => waiting?.end());
      if (!announcesBody(request)) return throughExpress(request, response);
      void withoutBody(request, response).then(() => throughExpress(request, response));
      return;
    }
    const failed = (error: unknown) => answerError(error, response, onError);
    try {
      const decided = answerRoot(request, response);
      if (!decided) return;
      waiting?.begin();
      decided.then(
        () => waiting?.end(),
        (error) => {
          failed(error);
          waiting?.end();
        },
      );
    } catch (error) {
      failed(error);
    }
  };
}

const successful = 'Request successful!';

/** What is answered beside the JSON API. */
const served: ReadonlySet<string> = new Set(['/', '/v1/auth', '/healthz', '/readyz', '/metrics']);

/** Why no route was even looked for. */
const targetUnread = 'The target of the request is neither a path nor a URL.';

/** A malformed URL is the client's mistake, with a status of its own; all else is ours and a plain 500. */
function answerError(error: unknown, response: ServerResponse, onError: (error: unknown) => void): void {
  if (error instanceof Refusal && !response.headersSent) {
    refuse(response, error);
    return;
  }
  const own = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  const status = own >= 400 && own < 500 ? own : 500;
  if (status === 500) onError(error);
  if (response.headersSent) response.destroy();
  else if (status === 500) send(response, 500, problem(500, 'Internal error', 'A defect.'));
  else send(response, status, problem(status, 'Bad request', (error as Error).message));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(body);
}
