// The routes of the standalone service.

import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { problem } from './headers.ts';
import type { Readiness } from './readiness.ts';

export interface ApiOptions {
  readonly rateLimit: RequestHandler;
  /** The page that Prometheus scrapes. */
  readonly page: () => Promise<string>;
  readonly pageContentType: string;
  readonly readiness: () => Readiness | Promise<Readiness>;
  readonly onError: (error: unknown) => void;
}

/** Largest request body that is read past; the service looks into none. */
const bodyBytesMax = 64 * 1024;

export function createApi({ rateLimit, page, pageContentType, readiness, onError }: ApiOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  // First, since it is what nearly every request asks for.
  app.get('/', refuseLargeBodies, rateLimit, (_request, response) => {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.end('Request successful!', 'latin1'); // ASCII: with its headers in one write of one-byte characters
  });

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

  app.use(refuseLargeBodies, rateLimit, (request, response) => {
    const known = request.path === '/';
    if (known) response.setHeader('Allow', 'GET, HEAD');
    response.status(known ? 405 : 404).type('application/problem+json');
    response.end(
      known
        ? problem(405, 'Method not allowed', `${request.method} is not served here; GET and HEAD are.`)
        : problem(
            404,
            'Not found',
            'GET / is what this service answers; /metrics, /healthz and /readyz tell about it.',
          ),
    );
  });
  app.use(answerErrors(onError));
  return app;
}

const refuseLargeBodies: RequestHandler = (request, response, next) => {
  const bytes = Number(request.headers['content-length'] ?? 0);
  if (bytes <= bodyBytesMax) return next();
  response.setHeader('Connection', 'close');
  response.status(413).type('application/problem+json');
  response.end(problem(413, 'Content too large', `The body has ${bytes} bytes; at most ${bodyBytesMax} are allowed.`));
};

/** A malformed URL is the client's mistake, with a status of its own; all else is ours and a plain 500. */
const answerErrors =
  (onError: (error: unknown) => void): ErrorRequestHandler =>
  (error, _request, response, next) => {
    if (response.headersSent) return next(error);
    const status = typeof error?.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status === 500) onError(error);
    response.status(status).type('application/problem+json');
    response.end(
      status === 500 ? problem(500, 'Internal error', 'A defect.') : problem(status, 'Bad request', error.message),
    );
  };
