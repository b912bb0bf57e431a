// A target that already runs: a server of the test's own, over plain HTTP and over TLS.

import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { address } from '../../../chaos/drivers/address.ts';
import type { EnvironmentOptions } from '../../../chaos/environment.ts';
import { LabError, UsageError } from '../../../chaos/errors.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { plain, type Target } from '../../../chaos/targets/target.ts';
import { baseline } from '../../../scenarios/baseline.ts';
import { createCertificates } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { runOf } from '../../support/scenario-runs.ts';

const cleanups: (() => void)[] = [];
let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  vi.unstubAllEnvs();
  directory[Symbol.dispose]();
});

async function listening(server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Says this to whoever connects. */
async function saying(text: string): Promise<string> {
  const server = createTcpServer((socket) => socket.on('error', () => {}).end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const targetAt = (url: string): Target => ({
  ...plain,
  name: 'running',
  start: { url },
  bounds: { capacity: 10, refillPerSecond: 2, fallbackCapacity: 0, fallbackRefillPerSecond: 0 },
});

/** Ten tokens of a key, two more a second. */
function limiting(asked: Set<string>): RequestListener {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return (request, response) => {
    const key = String(request.headers['x-key']);
    asked.add(key);
    const nowMs = performance.now();
    const { tokens, atMs } = buckets.get(key) ?? { tokens: 10, atMs: nowMs };
    const left = Math.min(10, tokens + ((nowMs - atMs) / 1000) * 2);
    buckets.set(key, { tokens: left >= 1 ? left - 1 : left, atMs: nowMs });
    response.statusCode = left >= 1 ? 200 : 429;
    response.end();
  };
}

const short = { ...baseline, timing: { warmupMs: 500, durationMs: 3000 } };

/** The findings of a short run, by check. */
async function judged(target: Target): Promise<Record<string, string>> {
  const { checks } = await runOf(short, directory.path, { driver: address, target, rate: 300 });
  const findings = checks.map(({ name, verdict }) => [name, verdict] as const);
  return Object.fromEntries(findings.filter(([, verdict]) => verdict !== 'not applicable'));
}

describe('a target that already runs', () => {
  it('is judged by its answers, and as its own control it is asked for other keys', async () => {
    const asked = new Set<string>();
    const url = `http://${await listening(createServer(limiting(asked)))}`;
    const { latency, ...others } = await judged(targetAt(url));
    expect(others).toEqual({ availability: 'pass', admission: 'pass' });
    expect(latency).not.toBe('fail');
    expect([...asked].filter((key) => key.startsWith('k0-')).length).toBe(1);
    expect([...asked].filter((key) => key.startsWith('control-k0-')).length).toBe(1);
  });

  it('may be reached by TLS', async () => {
    await using certificates = await createCertificates();
    vi.stubEnv('NODE_EXTRA_CA_CERTS', certificates.caFile); // for the load generator
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, readFileSync(certificates.caFile, 'utf8')]);
    cleanups.push(() => setDefaultCACertificates(trusted));
    const asked = new Set<string>();
    const url = `https://${await listening(createSecureServer(certificates.server, limiting(asked)))}`;
    expect(await judged(targetAt(url))).toMatchObject({ availability: 'pass', admission: 'pass' });
    expect(asked.size).toBeGreaterThan(100);
  });

  it('by TLS with a certificate that nobody trusts is never ready', async () => {
    await using certificates = await createCertificates();
    const url = `https://${await listening(createSecureServer(certificates.server, limiting(new Set())))}`;
    await expect(address({ target: targetAt(url) } as unknown as EnvironmentOptions)).rejects.toThrow(UsageError);
  });

  it('fails when it admits too much', async () => {
    const url = `http://${await listening(createServer((_request, response) => response.end()))}`;
    expect((await judged(targetAt(url))).admission).toBe('fail');
  });

  it.each([
    [
      'never answers',
      async () => `http://127.0.0.1:${await freePort()}`,
      /^it never answered a GET of \/healthz or \/ at http:\/\/127\.0\.0\.1:\d+$/,
    ],
    ['is on a port that fetch refuses', () => 'http://127.0.0.1:9', /^it never answered .*: no answer: bad port$/],
    ['answers in no HTTP', () => saying('SSH-2.0\r\n\r\n'), /^it never answered .*: no answer: .*HTTP/],
    [
      'answers otherwise than its file says',
      () => saying('HTTP/1.1 404 No\r\nconnection: close\r\n\r\nno such route'),
      /^it answered a GET of \/ready at http:\/\/127\.0\.0\.1:\d+ by status 404 with the body no such route; wanted: \{"status":"2xx"\}$/,
      [{ path: '/ready', status: '2xx' }],
    ],
  ])('that %s is refused within its time with what it did', async (_what, at, did, ready = undefined) => {
    const target = { ...targetAt(await at()), ...(ready && { ready }) };
    const error = await address({ target } as unknown as EnvironmentOptions).catch((error: Error) => error);
    expect(error).toBeInstanceOf(UsageError);
    const [begin, rest] = (error as Error).message.split(/(?<=cannot be judged: )/);
    expect(begin).toBe('The target running cannot be judged: ');
    expect(rest).toMatch(did);
  });

  it('cannot be broken', async () => {
    const url = `http://${await listening(createServer((_request, response) => response.end()))}`;
    await using environment = await address({ target: targetAt(url) } as unknown as EnvironmentOptions);
    const why = new LabError('The lab cannot break what it has not started');
    await expect(environment.redis.kill()).rejects.toThrow(why);
    await expect(environment.toxiproxy.setEnabled('limiter-1-store', false)).rejects.toThrow(why);
  });
});
