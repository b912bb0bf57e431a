// What the lab tells the program of a limiter in its environment, for the programs that stand in this folder.

import type { Express, Request, RequestHandler } from 'express';
import { keyHeader } from './target.ts';

/** The policy: so many requests, and in so many seconds. */
export const limit = Number(process.env.RATE_LIMIT);
export const windowS = Number(process.env.RATE_LIMIT_WINDOW_SEC);
/** What one instance may admit by itself. */
export const burst = Number(process.env.RATE_LIMIT_BURST);
/** How many share the limit. */
export const instances = Number(process.env.INSTANCES);

const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(process.env.REDIS_ADDR ?? '') ?? [];
export const redisAddress = { host, port: Number(port) };

const header = (process.env.KEY_HEADER ?? keyHeader).toLowerCase();
export const keyOf = ({ headers }: Pick<Request, 'headers'>): string => String(headers[header]);

const answered: RequestHandler = (_request, response) => {
  response.send('Request successful!');
};

/** `GET /healthz` answers without a take, `GET /` after one. */
export function serve(app: Express, limiter: RequestHandler): void {
  app.get('/healthz', answered);
  app.get('/', limiter, answered);
  app.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
}
