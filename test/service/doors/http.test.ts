import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createApi } from '../../../service/doors/http.ts';
import { Intake } from '../../../service/doors/intake.ts';
import type { Gate } from '../../../service/doors/middleware.ts';
import type { Readiness } from '../../../service/doors/readiness.ts';
import { createHttpServer } from '../../../service/doors/server.ts';
import { sendRaw } from '../../support/raw-http.ts';

const readiness: Readiness = {
  status: 'ready',
  mechanism: 'redis',
  breaker: { state: 'closed', transitions: [] },
  redis: 'connected',
  causes: [],
  instances: 1,
};

describe('the routes', () => {
  let server: Server;
  const defects: unknown[] = [];
  afterEach(() => server.close());

  const serve = async (gate: Gate) => {
    defects.length = 0;
    const intake = new Intake();
    const api = createApi({
      gate,
      intake,
      json: () => false,
      page: async () => '',
      pageContentType: 'text/plain',
      readiness: () => readiness,
      onError: (error) => defects.push(error),
    });
    server = createHttpServer({ keepAliveTimeoutMs: 5000 }, api, intake).server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('answers GET / the same whether it comes the short way or through Express', async () => {
    const url = await serve((_request, _response, onward) => onward(['X-RateLimit-Remaining', '4']));
    const answers = await Promise.all(
      ['/', '/?a=1'].map(async (path) => {
        const { status, headers, text } = await fetch(url + path).then(async (it) => ({
          status: it.status,
          headers: Object.fromEntries(it.headers),
          text: await it.text(),
        }));
        return { status, headers: { ...headers, date: 'any' }, text };
      }),
    );
    expect(answers[0]).toEqual({
      status: 200,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'content-length': '19',
        'x-ratelimit-remaining': '4',
        connection: 'keep-alive',
        'keep-alive': 'timeout=5',
        date: 'any',
      },
      text: 'Request successful!',
    });
    expect(answers[1]).toEqual(answers[0]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('defect');
      },
    ],
    ['rejects', () => Promise.reject(new Error('defect'))],
  ] satisfies [string, Gate][])('answers 500 and goes on when the limiter %s', async (_how, gate) => {
    const url = await serve(gate);
    for (const path of ['/', '/?a=1', '/nowhere']) {
      const answer = await fetch(url + path);
      expect([path, answer.status, await answer.json()]).toEqual([
        path,
        500,
        { type: 'about:blank', title: 'Internal error', status: 500, detail: 'A defect.' },
      ]);
    }
    expect(defects).toEqual([new Error('defect'), new Error('defect'), new Error('defect')]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
  it.each(['/V1/auth', '/v1/auth/', '//v1/auth', '/healthz/', '/v1/check/'])(
    'answers 404 to a path that is not written as its own, and names what there is: %s',
    async (path) => {
      const { port } = new URL(await serve((_request, _response, onward) => onward([])));
      const { status, body } = await sendRaw(
        Number(port),
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect([status, JSON.parse(body).detail]).toEqual([404, expect.stringContaining('/openapi.json')]);
    },
  );

  it.each(['GET http://[/', 'HEAD http://[', 'OPTIONS http://[/', 'POST http://[/healthz'])(
    'answers 400 to a target that is no URL: %s',
    async (start) => {
      const { port } = new URL(await serve((_request, _response, onward) => onward([])));
      const { status, headers } = await sendRaw(
        Number(port),
        `${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect([status, headers['content-type']]).toEqual([400, 'application/problem+json']);
      expect(defects).toEqual([]);
    },
  );

  it('closes the connection when it fails after the start of an answer', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200).flushHeaders();
      throw new Error('defect');
    });
    for (const path of ['/', '/?a=1']) await expect(fetch(url + path).then((it) => it.text())).rejects.toThrow();
    expect(defects).toEqual([new Error('defect'), new Error('defect')]);
  });
});
