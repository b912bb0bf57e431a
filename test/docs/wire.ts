// What the service really says on the wire: a service is started, asked, and its answers are written down. Instants are
// replaced, so that each start says the same.

import { request } from 'node:http';
import { startRedis } from '../support/redis.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import { until } from '../support/until.ts';
import type { Blocks } from './markers.ts';

interface Answer {
  readonly status: string;
  /** As they were sent, name and value. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Of Node, not of the service. */
const nodesOwn: ReadonlySet<string> = new Set(['Date', 'Connection', 'Keep-Alive']);
const someUnixSeconds = '1795491041';
const someUnixMs = '1795491041000.5';

/** Answers that allow and one that denies, from a service without Redis, and `/readyz` of one with Redis. */
export async function wireExamples(): Promise<Blocks> {
  await using alone = await startService({ KEY_HEADER: 'x-key' });
  const ask = () => answerOf(alone, '/', { 'x-key': 'alice' });
  const allowed = await ask();
  let denied = await ask();
  for (let i = 0; i < 10 && denied.status.startsWith('200'); i++) denied = await ask();
  const json = { 'content-type': 'application/json' };
  const check = await answerOf(alone, '/v1/check', json, JSON.stringify({ key: 'alice', cost: 2 }));
  return {
    allowed: shown(allowed),
    denied: shown(denied),
    check: shown(check),
    readiness: shown(await readinessByRedis()),
  };
}

async function readinessByRedis(): Promise<Answer> {
  await using redis = await startRedis();
  await using service = await startService({ REDIS_ADDR: `127.0.0.1:${redis.port}`, INSTANCES: '2' });
  let answer = await answerOf(service, '/readyz');
  await until('Redis to decide', async () => {
    answer = await answerOf(service, '/readyz');
    return answer.body.includes('"mechanism":"redis"');
  });
  return answer;
}

/** A GET, or a POST where there is a body. */
function answerOf({ url }: ServiceProcess, path: string, headers = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const asked = request(`${url}${path}`, { method, headers, agent: false }, async (response) => {
      const pairs = response.rawHeaders.flatMap((name, i, all) =>
        i % 2 === 0 ? [[name, all[i + 1] as string] as const] : [],
      );
      const text = (await response.setEncoding('utf8').toArray()).join('');
      resolve({ status: `${response.statusCode} ${response.statusMessage}`, headers: pairs, body: text });
    });
    asked.on('error', reject).end(body);
  });
}

function shown({ status, headers, body }: Answer): string {
  const said = body.replace(/(?<="nowMs":)[\d.]+/, someUnixMs);
  const replaced: Readonly<Record<string, string>> = {
    'X-RateLimit-Reset': someUnixSeconds,
    'Content-Length': String(Buffer.byteLength(said)),
  };
  const lines = headers
    .filter(([name]) => !nodesOwn.has(name))
    .map(([name, value]) => `${name}: ${replaced[name] ?? value}`);
  return ['```http', `HTTP/1.1 ${status}`, ...lines, '', said.trimEnd(), '```'].join('\n');
}
