// A limiter that fails closed, for the lab to condemn: without an answer from Redis within 5 ms it says 503. It has no
// breaker and no fallback. With Redis it is a right token bucket.

import { createServer, type ServerResponse } from 'node:http';
import { Redis } from 'ioredis';

const {
  KEY_HEADER = 'x-key',
  PORT = '8080',
  REDIS_ADDR = 'localhost:6379',
  RATE_LIMIT = '5',
  RATE_LIMIT_WINDOW_SEC = '10',
} = process.env;
const deadlineMs = 5;

const [host = 'localhost', port = '6379'] = REDIS_ADDR.split(':');
const redis = new Redis({
  host,
  port: Number(port),
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => 500,
});
redis.on('error', () => {}); // a request that cannot be decided says so itself

const takeScript = `
  local now = redis.call('TIME')
  local at = now[1] * 1000 + now[2] / 1000
  local capacity, perMs = tonumber(ARGV[1]), ARGV[1] / ARGV[2] / 1000
  local state = redis.call('HMGET', KEYS[1], 'level', 'at')
  local level = math.min(capacity, (state[1] or capacity) + (at - (state[2] or at)) * perMs)
  local allowed = level >= 1 and 1 or 0
  redis.call('HSET', KEYS[1], 'level', tostring(level - allowed), 'at', string.format('%.3f', at))
  redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000 + 1000)
  return { allowed, math.floor(level - allowed) }`;

async function take(key: string): Promise<[allowed: number, remaining: number]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => setImmediate(() => reject(new Error('late'))), deadlineMs);
  });
  const call = redis.eval(takeScript, 1, key, RATE_LIMIT, RATE_LIMIT_WINDOW_SEC) as Promise<[number, number]>;
  call.catch(() => {});
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

const server = createServer((request, response) => {
  if (request.url === '/healthz') return end(response, 200, 'ok\n');
  if (request.url === '/metrics') return end(response, 200, '', { 'Content-Type': 'text/plain; version=0.0.4' });
  if (request.url === '/readyz') {
    const mechanism = redis.status === 'ready' ? 'redis' : 'none';
    return end(response, 200, JSON.stringify({ mechanism, breaker: { state: 'closed', transitions: [] } }));
  }
  take(`stub:${request.headers[KEY_HEADER] ?? ''}`).then(
    ([allowed, remaining]) =>
      end(response, allowed ? 200 : 429, '', {
        'X-RateLimit-Limit': RATE_LIMIT,
        'X-RateLimit-Remaining': String(remaining),
        'X-RateLimit-Mechanism': 'redis',
      }),
    () => end(response, 503, 'Redis does not answer\n'),
  );
});
server.listen(Number(PORT), '127.0.0.1');

process.on('SIGTERM', () => {
  redis.disconnect();
  server.close();
  server.closeAllConnections();
});

function end(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end(body);
}
