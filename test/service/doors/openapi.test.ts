// The JSON API's description of itself: valid, and what a running service with a real Redis does, whatever it is sent.

import { Agent, request } from 'node:http';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GeneratedRequest, type OpenApi, requestsOf } from '../../support/openapi-requests.ts';
import { startPoliciesService } from '../../support/policies-service.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import type { ServiceProcess } from '../../support/service.ts';

const file = `
policies:
  - {name: few, key: given, limits: [3 per hour, 5 per day]}
  - {name: many, match: {path: /many/*}, key: address, limits: [1000000 per second]}
  - {name: tried, match: {path: /tried}, key: address, limits: [1 per day], shadow: true}
`;

let redis: RedisProcess;
let service: ServiceProcess;
let document: OpenApi;
const agent = new Agent({ keepAlive: true, maxSockets: 20 });
beforeAll(async () => {
  redis = await startRedis();
  service = await startPoliciesService(file, { ADMIN_TOKEN: 'admin', WORKERS: '2' }, redis.url);
  document = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApi;
});
afterAll(async () => {
  agent.destroy();
  await service.stop();
  await redis.stop();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function send({ method, url, body }: GeneratedRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: 'Bearer admin',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const options = { agent, host: '127.0.0.1', port: service.port, path: url, method: method.toUpperCase(), headers };
    const sent = request(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const type = answer.headers['content-type'] ?? '';
        resolve({ status: answer.statusCode ?? 0, type, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.on('error', reject).end(body);
  });
}

describe('/openapi.json', () => {
  it('is a valid OpenAPI 3.1 document', async () => {
    const { valid, errors } = await new Validator().validate({ ...document });
    expect([errors, valid]).toEqual([undefined, true]);
    expect(Object.keys(document.paths)).toContain('/v1/check');
  });

  it('says what the service does, over 10,000 requests: no answer that is not in it, none to what it does not allow', async () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, 'openapi');
    const schemas = new Map<string, ValidateFunction>();
    const schemaAt = (...place: string[]) => {
      const pointer = place.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
      const schema = schemas.get(pointer) ?? ajv.compile({ $ref: `openapi#/${encodeURI(pointer)}` });
      schemas.set(pointer, schema);
      return schema;
    };
    const statuses = new Map<string, number>();
    const check = (sent: GeneratedRequest, { status, type, text }: Answer) => {
      const { path, method, body } = sent;
      const operation = document.paths[path]?.[method];
      const told = `${status} ${type} ${text.slice(0, 200)}`;
      statuses.set(`${method} ${path} ${status}`, (statuses.get(`${method} ${path} ${status}`) ?? 0) + 1);
      if (status >= 500 || !operation?.responses[status]?.content[type]) throw new Error(`not described: ${told}`);
      const answered = schemaAt('paths', path, method, 'responses', String(status), 'content', type, 'schema');
      if (!answered(JSON.parse(text))) throw new Error(`${ajv.errorsText(answered.errors)}: ${told}`);
      if (!operation.requestBody || status >= 400) return;
      const asked = schemaAt('paths', path, method, 'requestBody', 'content', 'application/json', 'schema');
      if (!asked(JSON.parse(body ?? ''))) throw new Error(`allowed although ${ajv.errorsText(asked.errors)}: ${told}`);
    };
    const words = ['few', 'many', 'tried', 'alice', 'given=alice', '429', 'GET', '/many/1', '192.0.2.1'];
    await fc.assert(
      fc.asyncProperty(fc.array(requestsOf(document, words), { minLength: 50, maxLength: 50 }), async (requests) => {
        await Promise.all(requests.map(async (one) => check(one, await send(one))));
      }),
      { numRuns: 200, endOnFailure: true },
    );
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods))
        expect([path, statuses.get(`${method} ${path} 200`)]).not.toEqual([path, undefined]);
    }
    const defects = service.output().match(/unexpected error|worker \d+ ended/g);
    expect([service.child.hasEnded(), defects]).toEqual([false, null]);
  });
});
