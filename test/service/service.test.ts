import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';
import { storeErrorReasons } from '../../service/core/store.ts';
import { keepAliveLoad } from '../support/keep-alive-load.ts';
import { projectDirectory } from '../support/lab-processes.ts';
import { seriesOf } from '../support/metrics-page.ts';
import { startNonsense } from '../support/nonsense.ts';
import { sendRaw } from '../support/raw-http.ts';
import { readinessOf } from '../support/readiness.ts';
import { startRedis } from '../support/redis.ts';
import { type ServiceProcess, spawnService, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

/** So much that no test here is ever limited by accident. */
const unlimited = { RATE_LIMIT: '1000000', RATE_LIMIT_BURST: '1000000', RATE_LIMIT_WINDOW_SEC: '1' };

const mechanismOf = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  await response.text();
  return response.headers.get('x-ratelimit-mechanism');
};

const bodyOf = async (response: Response) => ({
  status: response.status,
  type: response.headers.get('content-type')?.split(';')[0],
  body: (await response.json()) as unknown,
});

describe('the service without any Redis', () => {
  it('is ready before Redis has said a word, and decides the very first request on the fallback', async () => {
    await using silent = await startNonsense('');
    await using service = await startService({ REDIS_ADDR: `127.0.0.1:${silent.port}` });
    const response = await fetch(service.url);
    expect([response.status, await response.text(), response.headers.get('x-ratelimit-mechanism')]).toEqual([
      200,
      'Request successful!',
      'fallback',
    ]);
  });

  it('says that it is ready, on the fallback', async () => {
    await using service = await startService();
    await until('the cause', async () => (await readinessOf(service)).causes.length > 0);
    const response = await fetch(`${service.url}/readyz`);
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        status: 'ready',
        mechanism: 'fallback',
        breaker: { state: 'closed', nowMs: expect.closeTo(Date.now(), -4), transitions: [] },
        redis: 'disconnected',
        causes: [{ shard: '127.0.0.1:1', reason: 'refused', message: 'connect ECONNREFUSED 127.0.0.1:1' }],
        instances: 1,
      },
    ]);
  });

  it('joins a Redis that appears', async () => {
    const port = await freePort();
    await using service = await startService({ ...unlimited, REDIS_ADDR: `127.0.0.1:${port}` });
    // Long enough for the breaker to have opened and the connection to be at its slowest.
    await until('an open breaker', async () => {
      expect(await mechanismOf(service.url)).toBe('fallback');
      return (await seriesOf(service)).get('rate_limit_breaker_state{state="open"}') === 1;
    });
    await using _redis = await startRedis([], port);
    await until('a decision by Redis', async () => (await mechanismOf(service.url)) === 'redis');
    const readiness = (await (await fetch(`${service.url}/readyz`)).json()) as Record<string, unknown>;
    expect(readiness).toMatchObject({ status: 'ready', mechanism: 'redis', redis: 'connected' });
  });

  it('keeps answering when what listens there speaks nonsense, and shows why', async () => {
    await using server = await startNonsense('HTTP/1.1 400 Bad Request\r\n\r\n');
    await using service = await startService({
      ...unlimited,
      REDIS_ADDR: `127.0.0.1:${server.port}`,
      BREAKER_RESET_MS: '50',
    });
    await until('the reason', async () => {
      expect(await mechanismOf(service.url)).toBe('fallback');
      return ((await seriesOf(service)).get('rate_limit_store_errors_total{reason="protocol"}') ?? 0) > 0;
    });
    expect([service.child.hasEnded(), server.connections() > 0]).toEqual([false, true]);
  });

  it('goes on deciding when Redis is killed, and comes back to it', async () => {
    const port = await freePort();
    const redis = await startRedis([], port);
    await using service = await startService({
      ...unlimited,
      REDIS_ADDR: `127.0.0.1:${port}`,
      BREAKER_RESET_MS: '100',
    });
    await until('a decision by Redis', async () => (await mechanismOf(service.url)) === 'redis');
    await redis.kill();
    expect(await mechanismOf(service.url)).toBe('fallback');
    await using _again = await startRedis([], port);
    await until('a decision by Redis', async () => (await mechanismOf(service.url)) === 'redis');
  });
});

describe('the process', () => {
  it('exits with 78 before it listens, naming every mistake and no secret', async () => {
    const port = String(await freePort());
    await using child = spawnService({
      PORT: port,
      RATE_LIMIT: '-5',
      REDIS_TIMEOUT_MS: 'soon',
      REDIS_URL: 'http://alice:hunter2@x',
    });
    expect(await child.ended).toEqual({ code: 78, signal: null });
    expect([child.stdout(), child.stderr()]).toEqual([
      '',
      [
        'The environment is not usable:',
        '  REDIS_URL is a value that is not shown; allowed: nothing, or redis://user:password@host:port/database, rediss://… for TLS, or redis+unix://user:password@/path?db=database; all but the host or path may be left out, and nothing else be there',
        '  RATE_LIMIT is "-5"; allowed: a whole number from 1 to 1000000',
        '  REDIS_TIMEOUT_MS is "soon"; allowed: a whole number from 1 to 60000',
        '',
      ].join('\n'),
    ]);
  });

  it('finds compiled what an earlier one has loaded', async () => {
    const load = () => {
      const env = { PORT: 'none', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }; // without the directory of the tests
      return spawnSync(process.execPath, ['service/main.ts'], { cwd: projectDirectory, env, encoding: 'utf8' });
    };
    load();
    const { status, stderr } = load();
    expect(status).toBe(78);
    expect(stderr).toMatch(/cache for ESM file:\S+\/service\/app\.ts was accepted/);
    expect(stderr).toContain(`${projectDirectory}/node_modules/.cache/`);
  });

  it.each(['localhost:99999', 'localhost:0'])(
    'exits with 78 for a REDIS_ADDR that no socket takes: %s',
    async (address) => {
      await using child = spawnService({ PORT: String(await freePort()), REDIS_ADDR: address });
      expect(await child.ended).toEqual({ code: 78, signal: null });
    },
  );

  it('exits with 1 and says so when the port is taken', async () => {
    await using server = await startNonsense('');
    await using child = spawnService({ PORT: String(server.port), REDIS_ADDR: '127.0.0.1:1', LOG_LEVEL: 'silent' });
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect([child.stdout(), child.stderr()]).toEqual([
      '',
      `Cannot listen on 127.0.0.1:${server.port}: the port is taken; choose another with PORT\n`,
    ]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s when idle', async (signal) => {
    await using service = await startService();
    service.child.process.kill(signal);
    expect(await service.child.ended).toEqual({ code: 0, signal: null });
  });

  it('loses no request on SIGTERM under keep-alive load, and exits with 0', async () => {
    await using redis = await startRedis();
    await using service = await startService({ ...unlimited, REDIS_ADDR: `127.0.0.1:${redis.port}` });
    const load = keepAliveLoad(service.url, 30);
    await until('load', () => load.statuses.length > 500);
    service.child.process.kill('SIGTERM');
    await load.over;
    expect(await service.child.ended).toEqual({ code: 0, signal: null });
    expect({ lost: load.lost, closed: load.closed(), others: load.statuses.filter((it) => it !== 200) }).toEqual({
      lost: [],
      closed: 30,
      others: [],
    });
  });
});

describe('the HTTP interface', () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startService({
      KEY_HEADER: 'X-Api-Key',
      RATE_LIMIT: '5',
      RATE_LIMIT_WINDOW_SEC: '1000', // no token comes back while a test looks
      RATE_LIMIT_BURST: '3',
    });
  });
  afterAll(() => service.stop());

  const as = (key: string) => fetch(service.url, { headers: { 'X-Api-Key': key } });

  it('tells every answer its limits, and a refusal when to come back and why', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    const startedMs = performance.now();
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await as('told'));
    const tookS = Math.ceil((performance.now() - startedMs) / 1000);
    /** What says that so many seconds are left, or as many fewer as have passed meanwhile. */
    const left = (s: number, text = (each: number) => `${each}`) =>
      expect.toBeOneOf(Array.from({ length: tookS + 1 }, (_, passed) => text(s - passed)));
    const headersOf = ({ headers }: Response) =>
      Object.fromEntries(
        [
          'x-ratelimit-limit',
          'x-ratelimit-remaining',
          'ratelimit',
          'ratelimit-policy',
          'x-ratelimit-mechanism',
          'retry-after',
        ].map((name) => [name, headers.get(name)]),
      );
    const common = {
      'x-ratelimit-limit': '3',
      'ratelimit-policy': '"default";q=3;w=600',
      'x-ratelimit-mechanism': 'fallback',
    };
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    const rates = (remaining: string, resetS: number) => ({
      'x-ratelimit-remaining': remaining,
      ratelimit: left(resetS, (s) => `"default";r=${remaining};t=${s}`),
    });
    expect(answers.map(headersOf)).toEqual([
      { ...common, ...rates('2', 200), 'retry-after': null },
      { ...common, ...rates('1', 400), 'retry-after': null },
      { ...common, ...rates('0', 600), 'retry-after': null },
      { ...common, ...rates('0', 600), 'retry-after': left(200) },
    ]);
    const resetsIn = Number(answers[3]?.headers.get('x-ratelimit-reset')) - seconds;
    expect(resetsIn).toBeGreaterThanOrEqual(600);
    expect(resetsIn).toBeLessThanOrEqual(601 + tookS);
    expect(await bodyOf(answers[3] as Response)).toEqual({
      status: 429,
      type: 'application/problem+json',
      body: {
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        title: 'Request cannot be satisfied as assigned quota has been exceeded',
        status: 429,
        detail: left(200, (s) => `Quota of 3 requests in 600 s is used up. Try again in ${s} s.`),
        'violated-policies': ['default'],
      },
    });
  });

  it('has a bucket for each value of KEY_HEADER and one for the address of those without', async () => {
    const remaining = async (response: Response) => Number(response.headers.get('x-ratelimit-remaining'));
    expect([
      await remaining(await as('one')),
      await remaining(await as('two')),
      await remaining(await as('one')),
    ]).toEqual([2, 2, 1]);
    const bare = await fetch(service.url);
    expect(await remaining(bare)).toBe(2);
    expect(await remaining(await fetch(service.url, { headers: { 'X-Api-Key': '' } }))).toBe(1);
  });

  it('takes a key of 256 characters and refuses one of 257', async () => {
    expect((await as('k'.repeat(256))).status).toBe(200);
    expect(await bodyOf(await as('k'.repeat(257)))).toEqual({
      status: 400,
      type: 'application/problem+json',
      body: {
        type: 'about:blank',
        title: 'Key too long',
        status: 400,
        detail: 'The key in x-api-key has 257 characters; at most 256 are allowed.',
      },
    });
  });

  it('answers an unknown path with 404', async () => {
    const response = await fetch(`${service.url}/nothing`, { headers: { 'X-Api-Key': '404' } });
    expect(await bodyOf(response)).toMatchObject({
      status: 404,
      type: 'application/problem+json',
      body: { status: 404 },
    });
  });

  it('answers POST / with 405 and what is allowed', async () => {
    const response = await fetch(service.url, { method: 'POST', body: 'x', headers: { 'X-Api-Key': '405' } });
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await bodyOf(response)).toMatchObject({
      status: 405,
      type: 'application/problem+json',
      body: { status: 405 },
    });
  });

  it('answers HEAD / as GET, without the body', async () => {
    const response = await fetch(service.url, { method: 'HEAD', headers: { 'X-Api-Key': 'head' } });
    expect([response.status, response.headers.get('x-ratelimit-remaining'), await response.text()]).toEqual([
      200,
      '2',
      '',
    ]);
  });

  it('answers what is not HTTP with 400', async () => {
    expect((await sendRaw(service.port, 'HELLO\r\n\r\n')).status).toBe(400);
    expect((await sendRaw(service.port, 'GET / HTTP/1.1\r\nbad header\r\n\r\n')).status).toBe(400);
    expect((await sendRaw(service.port, 'GET / HTTP/1.1\r\n\r\n')).status).toBe(400); // no Host
  });

  it('reads as many and as long headers as proxies pass on, and answers 431 to more', async () => {
    const answerTo = (headers: string) =>
      sendRaw(service.port, `GET / HTTP/1.1\r\nHost: x\r\n${headers}X-Api-Key: many\r\n\r\n`);
    const told = async (headers: string) => {
      const answer = await answerTo(headers);
      return [answer.status, answer.headers['x-ratelimit-remaining']];
    };
    expect(await told(`X-Large: ${'x'.repeat(36_000)}\r\n`)).toEqual([200, '2']);
    expect(await told('a:\r\n'.repeat(2200))).toEqual([200, '1']); // the last of them is the key
    expect(await told(`X-Large: ${'x'.repeat(50_000)}\r\n`)).toEqual([431, undefined]);
  });

  it.each(['/%ff', '/%', '/healthz/%ff', '/%00'])('answers the malformed path %s with a 4xx', async (path) => {
    const answer = await sendRaw(
      service.port,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: path${path.length}\r\n\r\n`,
    );
    expect([answer.status, Math.floor(answer.status / 100)]).toEqual([answer.status, 4]);
  });

  it('never answered with a 5xx and is still alive after all that', async () => {
    expect([await (await fetch(`${service.url}/healthz`)).text(), service.child.hasEnded()]).toEqual(['ok\n', false]);
    expect(service.output()).not.toContain('unexpected error');
  });
});

describe('/metrics', () => {
  it('has every series from the start, at 0', async () => {
    await using service = await startService();
    const own = [...(await seriesOf(service))].filter(
      ([name]) => name.startsWith('rate_limit_') && !name.includes('_latency_'),
    );
    expect(Object.fromEntries(own)).toEqual({
      'rate_limit_requests_total{mechanism="redis",status="allowed"}': 0,
      'rate_limit_requests_total{mechanism="redis",status="blocked"}': 0,
      'rate_limit_requests_total{mechanism="fallback",status="allowed"}': 0,
      'rate_limit_requests_total{mechanism="fallback",status="blocked"}': 0,
      'rate_limit_requests_total{mechanism="open",status="allowed"}': 0,
      'rate_limit_requests_total{mechanism="closed",status="blocked"}': 0,
      'rate_limit_request_mistakes_total{policy="default"}': 0,
      'rate_limit_breaker_state{state="closed"}': 1,
      'rate_limit_breaker_state{state="open"}': 0,
      'rate_limit_breaker_state{state="half-open"}': 0,
      'rate_limit_breaker_transitions_total{from="closed",to="open"}': 0,
      'rate_limit_breaker_transitions_total{from="open",to="half-open"}': 0,
      'rate_limit_breaker_transitions_total{from="half-open",to="open"}': 0,
      'rate_limit_breaker_transitions_total{from="half-open",to="closed"}': 0,
      ...Object.fromEntries(
        storeErrorReasons.map((reason) => [`rate_limit_store_errors_total{reason="${reason}"}`, 0]),
      ),
      rate_limit_fallback_keys: 0,
      rate_limit_log_lines_dropped_total: 0,
    });
  });

  it('counts what was decided, by whom, and has a bucket edge at exactly 9 ms', async () => {
    await using service = await startService({ RATE_LIMIT_BURST: '2' });
    for (let i = 0; i < 3; i++) await (await fetch(service.url)).text();
    const series = await seriesOf(service);
    const pick = (...names: string[]) => names.map((name) => series.get(name));
    expect(
      pick(
        'rate_limit_requests_total{mechanism="fallback",status="allowed"}',
        'rate_limit_requests_total{mechanism="fallback",status="blocked"}',
        'rate_limit_latency_seconds_count',
        'rate_limit_latency_seconds_bucket{le="+Inf"}',
        'rate_limit_fallback_keys',
      ),
    ).toEqual([2, 1, 3, 3, 1]);
    expect(series.has('rate_limit_latency_seconds_bucket{le="0.009"}')).toBe(true);
  });

  it('has no more than 200 series, however many keys and paths come', async () => {
    await using service = await startService({ KEY_HEADER: 'X-Api-Key' });
    for (let i = 0; i < 300; i++)
      await (await fetch(`${service.url}/path-${i}`, { headers: { 'X-Api-Key': `key-${i}` } })).text();
    const names = [...(await seriesOf(service)).keys()];
    expect(names.length).toBeLessThanOrEqual(200);
    expect(names.filter((name) => /path-|key-|127\.0\.0\.1/.test(name))).toEqual([]);
  });

  it('is of a content type that Prometheus accepts', async () => {
    await using service = await startService();
    const response = await fetch(`${service.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; ?version=0\.0\.4(; ?charset=utf-8)?$/);
  });
});
