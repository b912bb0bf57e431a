import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { latencyAt } from './latency.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function served(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return (signal = new AbortController().signal) =>
    latencyAt({ url, keyHeader: 'x-key', rate: 300, seconds: 2, seed: 1 }, signal);
}

describe('the latency at a rate', () => {
  it('is that of every answer from when its request was due, and the fallback’s are counted', async () => {
    const run = await served((_request, response) => {
      response.setHeader('x-ratelimit-mechanism', 'fallback');
      setTimeout(() => response.end('ok'), 20);
    });
    const { latencyMs, answers, fallback } = await run();
    expect(answers).toBeGreaterThan(500);
    expect(fallback).toBe(answers);
    expect(latencyMs.p50).toBeGreaterThanOrEqual(19);
  });

  it('does not wait for the answers before it sends', async () => {
    let [underWay, most] = [0, 0];
    const run = await served((_request, response) => {
      most = Math.max(most, ++underWay);
      response.setHeader('x-ratelimit-mechanism', 'redis');
      setTimeout(() => {
        underWay--;
        response.end('ok');
      }, 100);
    });
    expect(await run()).toMatchObject({ fallback: 0 });
    expect(most).toBeGreaterThan(10);
  });

  it('is none where an answer is not 200, and says whose', async () => {
    const run = await served((request, response) => {
      response.statusCode = request.headers['x-key'] === 'warm-up' ? 200 : 503;
      response.end('no');
    });
    await expect(run()).rejects.toThrow(/^http:.*: status 503$/);
  });

  it('is given up when it is told to', async () => {
    const run = await served((_request, response) => void response.end('ok'));
    await expect(run(AbortSignal.timeout(300))).rejects.toThrow('due to timeout');
  });
});
