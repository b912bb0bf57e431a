// A limiter behind HTTP: `GET /` takes a token of the key. With TELLS=1 it also tells who decided, how its breaker moves
// and how many calls to Redis failed; else nothing but its decisions and the tokens left.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { Limiter } from './limiter.ts';

const { HOST = '127.0.0.1', PORT = '8080', KEY_HEADER = 'x-key', TELLS } = process.env;

/** Returns when it listens: as soon as Redis was there. */
export async function serve(limiter: Limiter = new Limiter()): Promise<void> {
  const { redis } = limiter.store;
  const server = createServer(async ({ url, headers }, response) => {
    if (url === '/healthz') return end(response, 200, 'ok');
    if (TELLS && url === '/readyz') return end(response, 200, readiness(limiter));
    if (TELLS && url === '/metrics')
      return end(response, 200, metrics(limiter), { 'Content-Type': 'text/plain; version=0.0.4' });
    const answer = await limiter.take(String(headers[KEY_HEADER] ?? '')).catch(() => undefined);
    if (!answer) return end(response, 503, 'no decision');
    const { allowed, remaining, waitMs, source } = answer;
    end(response, allowed ? 200 : 429, '', {
      'X-RateLimit-Remaining': String(remaining),
      ...(allowed ? {} : { 'Retry-After': String(Math.ceil(waitMs / 1000)) }),
      ...(TELLS ? { 'X-RateLimit-Mechanism': source } : {}),
    });
  });
  if (redis.status !== 'ready') await once(redis, 'ready');
  server.listen(Number(PORT), HOST);
  process.once('SIGTERM', () => {
    redis.disconnect();
    server.close();
    server.closeAllConnections();
  });
}

function readiness({ breaker: { state, moves } }: Limiter): string {
  const nowMs = performance.timeOrigin + performance.now();
  const mechanism = state === 'closed' ? 'redis' : 'fallback';
  return JSON.stringify({ mechanism, breaker: { state, nowMs, transitions: moves } });
}

function metrics({ storeErrors }: Limiter): string {
  return `# TYPE rate_limit_store_errors_total counter\nrate_limit_store_errors_total{reason="any"} ${storeErrors}\n`;
}

function end(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Length': String(Buffer.byteLength(body)), ...headers }).end(body);
}
