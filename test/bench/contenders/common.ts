// What all contenders share, so that they differ in the limiter alone.

import type { Express, RequestHandler } from 'express';

export const keyHeader = 'x-key';

/** The policy, as `npm run bench` sets it: tokens, and seconds in which they refill. */
export const limit = Number(process.env.RATE_LIMIT);
export const windowS = Number(process.env.RATE_LIMIT_WINDOW_SEC);
export const redisPort = Number(process.env.REDIS_PORT);

export const keyOf = (headers: Readonly<Record<string, unknown>>) => String(headers[keyHeader]);

export const successful: RequestHandler = (_request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end('Request successful!');
};

export function listen(app: Express): void {
  app.listen(Number(process.env.PORT), '127.0.0.1');
}
