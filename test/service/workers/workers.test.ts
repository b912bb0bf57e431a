import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import type { Readiness } from '../../../service/doors/readiness.ts';
import { keepAliveLoad } from '../../support/keep-alive-load.ts';
import { seriesOf } from '../../support/metrics-page.ts';
import { startNonsense } from '../../support/nonsense.ts';
import { startRedis } from '../../support/redis.ts';
import { type ServiceProcess, spawnService, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const two = { WORKERS: '2', KEY_HEADER: 'X-Api-Key' };
/** So much that nothing is limited by accident. */
const unlimited = { RATE_LIMIT: '1000000', RATE_LIMIT_BURST: '1000000', RATE_LIMIT_WINDOW_SEC: '1' };

interface Line {
  readonly msg: string;
  readonly worker?: number;
  readonly workerPid?: number;
  readonly afterMs?: number;
}

const logOf = (service: ServiceProcess): Line[] =>
  service.child
    .stdout()
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));

/** The pids that a worker's place has had, the living one's last. */
const pidsOf = (service: ServiceProcess, worker: number): number[] =>
  logOf(service).flatMap((line) => (line.worker === worker && line.workerPid ? [line.workerPid] : []));

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const kill = (service: ServiceProcess, worker: number) =>
  process.kill(pidsOf(service, worker).at(-1) as number, 'SIGKILL');

/** One request on a connection of its own. */
function ask({ url }: ServiceProcess, key = 'any') {
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders }>((resolve, reject) => {
    const request = get(url, { agent: false, headers: { 'X-Api-Key': key } }, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode, headers: response.headers }));
    });
    request.once('error', reject);
  });
}

const readinessOf = async ({ url }: ServiceProcess) => (await (await fetch(`${url}/readyz`)).json()) as Readiness;

/** Requests decided, by /metrics. */
async function counted(service: ServiceProcess): Promise<number> {
  const series = [...(await seriesOf(service))].filter(([name]) => name.startsWith('rate_limit_requests_total'));
  return series.reduce((sum, [, value]) => sum + value, 0);
}

/** Until it tells of so many: a worker that is busy for longer than the others wait counts with what it last said. */
const untilCounted = (service: ServiceProcess, count: number) =>
  until(`${count} requests counted`, async () => (await counted(service)) === count);

const workersReady = (service: ServiceProcess, count: number) =>
  until(`${count} workers`, async () => (await seriesOf(service)).get('rate_limit_workers') === count);

describe('two workers on one port', () => {
  it('take turns, and share the burst of one instance between them', async () => {
    await using service = await startService({ ...two, RATE_LIMIT_BURST: '5', RATE_LIMIT_WINDOW_SEC: '1000' });
    await workersReady(service, 2);
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await ask(service));
    expect(answers.map(({ status, headers }) => [status, headers['x-ratelimit-remaining']])).toEqual([
      [200, '1'],
      [200, '1'],
      [200, '0'],
      [200, '0'],
      [429, '0'],
      [429, '0'],
    ]);
  });

  it('divide the refill by INSTANCES times WORKERS', async () => {
    await using service = await startService({ ...two, INSTANCES: '3' });
    await workersReady(service, 2);
    // A bucket of 2 at a sixth of 5 tokens in 10 s.
    expect((await ask(service)).headers['ratelimit-policy']).toBe('"default";q=2;w=24');
    expect((await readinessOf(service)).instances).toBe(6);
  });

  it('count each other in Redis', async () => {
    await using redis = await startRedis();
    await using service = await startService({ ...two, REDIS_ADDR: `127.0.0.1:${redis.port}` });
    await until('a count of 2', async () => (await readinessOf(service)).instances === 2);
  });

  it('admit a hot key no more than its capacity and its refill, under load on both', async () => {
    await using redis = await startRedis();
    const [capacity, refillPerSecond] = [100, 10];
    await using service = await startService({
      ...two,
      REDIS_ADDR: `127.0.0.1:${redis.port}`,
      RATE_LIMIT: String(capacity),
      RATE_LIMIT_WINDOW_SEC: String(capacity / refillPerSecond),
      REDIS_TIMEOUT_MS: '10000', // a pause of this machine is no outage
    });
    await until('Redis in both', async () => {
      const { mechanism, redis: connection } = await readinessOf(service);
      return mechanism === 'redis' && connection === 'connected';
    });
    await workersReady(service, 2);
    const startedMs = performance.now();
    const admitted: { receivedMs: number }[] = [];
    const refused: { sentMs: number }[] = [];
    const client = async () => {
      while (performance.now() - startedMs < 1500 || refused.length <= capacity) {
        const sentMs = performance.now();
        const { status, headers } = await ask(service, 'hot');
        expect([status, headers['x-ratelimit-mechanism']]).toEqual([expect.toBeOneOf([200, 429]), 'redis']);
        if (status === 200) admitted.push({ receivedMs: performance.now() });
        else refused.push({ sentMs });
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    const boundMax = capacity + (refillPerSecond * (performance.now() - startedMs)) / 1000;
    expect(admitted.length).toBeLessThanOrEqual(boundMax);
    // At the last refusal there was less than a token, so all others had been admitted.
    const usedMs =
      Math.max(...refused.map(({ sentMs }) => sentMs)) - Math.min(...admitted.map(({ receivedMs }) => receivedMs));
    expect(admitted.length).toBeGreaterThan(capacity + (refillPerSecond * usedMs) / 1000 - 1);
    expect(usedMs).toBeGreaterThan(1000);
  });

  it("tell the moves of each one's breaker in one view", async () => {
    await using service = await startService(two);
    await workersReady(service, 2);
    const moves = await until('both breakers open', async () => {
      await ask(service);
      const { transitions } = (await readinessOf(service)).breaker;
      return new Set(transitions.map(({ shard }) => shard)).size === 2 && transitions;
    });
    expect(
      moves
        .filter(({ from }) => from === 'closed')
        .map(({ shard, to }) => `${shard} ${to}`)
        .sort(),
    ).toEqual(['worker 1 127.0.0.1:1 open', 'worker 2 127.0.0.1:1 open']);
    expect((await seriesOf(service)).get('rate_limit_breaker_state{state="closed"}')).toBe(0);
  });
});

describe('/metrics of two workers', () => {
  it('counts every request once, before and after the death of a worker, and never falls', async () => {
    await using service = await startService({ ...two, ...unlimited });
    await workersReady(service, 2);
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) expect((await ask(service, `key ${i}`)).status).toBe(200);
    };
    await send(101);
    await untilCounted(service, 101);
    const before = await seriesOf(service);

    kill(service, 1);
    const pages: Map<string, number>[] = [before];
    await until('worker 1 in its place again', async () => {
      pages.push(await seriesOf(service));
      return pidsOf(service, 1).length === 2 && pages.at(-1)?.get('rate_limit_workers') === 2;
    });
    expect(await counted(service)).toBe(101);
    await send(50);
    await untilCounted(service, 151);
    pages.push(await seriesOf(service));

    const lasting = (name: string) =>
      /_total(\{|$)|_(count|sum|bucket)(\{|$)/.test(name) && !/^nodejs_active/.test(name);
    const falls = pages
      .slice(1)
      .flatMap((page, i) =>
        [...(pages[i] as Map<string, number>)]
          .filter(([name, value]) => lasting(name) && !((page.get(name) ?? -1) >= value))
          .map(([name, value]) => `${name} from ${value} to ${page.get(name)}`),
      );
    expect(falls).toEqual([]);
    expect(pages.at(-1)?.get('rate_limit_latency_seconds_count')).toBe(151);
    expect(pages.at(-1)?.get('rate_limit_worker_restarts_total')).toBe(1);
  });

  it('holds what a worker had counted a second before its death, though nobody had asked', async () => {
    await using service = await startService({ ...two, ...unlimited });
    await workersReady(service, 2);
    for (let i = 0; i < 20; i++) await ask(service);
    await sleep(3000); // each tells what it has counted once a second, on a busy machine less often
    kill(service, 1);
    kill(service, 2);
    expect(await counted(service)).toBe(20); // waits for the first worker that is back, and is not refused
  });

  it('answers in time while a worker hangs, with what that one last said', async () => {
    await using service = await startService({ ...two, ...unlimited });
    await workersReady(service, 2);
    for (let i = 0; i < 10; i++) await ask(service);
    await untilCounted(service, 10);
    const pid = pidsOf(service, 2).at(-1) as number;
    process.kill(pid, 'SIGSTOP');
    try {
      // Of three, the worker that hangs can be given one.
      const page = () => Promise.any([counted(service), counted(service), counted(service)]);
      await until('a page that counts all', async () => (await page()) === 10);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

describe('workers whose primary stands still', () => {
  it('are ready, each by its own word, and what only the primary can tell is 503', async () => {
    await using service = await startService({ ...two, ...unlimited, ADMIN_TOKEN: 'admin' });
    await workersReady(service, 2);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 }); // new connections are the primary's to hand out
    const headers = { authorization: 'Bearer admin' };
    const asked = (path: string) =>
      new Promise<{ status: number | undefined; retryAfter: string | undefined; text: string }>((resolve, reject) => {
        const request = get(`${service.url}${path}`, { agent, headers }, async (response) => {
          const text = (await response.toArray()).join('');
          resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'], text });
        });
        request.once('error', reject);
      });
    await asked('/healthz');
    process.kill(service.pid, 'SIGSTOP');
    try {
      const { status, text } = await asked('/readyz');
      expect([status, JSON.parse(text)]).toMatchObject([200, { status: 'ready', mechanism: 'fallback' }]);
      for (const path of ['/metrics', '/v1/top']) {
        const late = await asked(path);
        expect([path, late.status, late.retryAfter]).toEqual([path, 503, '1']);
        expect(JSON.parse(late.text)).toMatchObject({ detail: expect.stringContaining('within 1000 ms') });
      }
    } finally {
      process.kill(service.pid, 'SIGCONT');
      agent.destroy();
    }
  });
});

describe('a worker that dies', () => {
  it('is back after a tenth of a second and its own start, and the other goes on', async () => {
    await using service = await startService({ ...two, ...unlimited });
    await workersReady(service, 2);
    kill(service, 2);
    await until('its end', () => !lives(pidsOf(service, 2)[0] as number));
    for (let i = 0; i < 20; i++) expect((await ask(service)).status).toBe(200);
    await until('another in its place', () => pidsOf(service, 2).length === 2);
    await workersReady(service, 2);
    const waitsMs = logOf(service).flatMap(({ afterMs }) => afterMs ?? []);
    expect([waitsMs.length, (waitsMs[0] ?? Number.NaN) <= 100]).toEqual([1, true]);
  });

  it('is waited for longer each time that it dies soon', async () => {
    await using service = await startService(two);
    await workersReady(service, 2);
    for (let deaths = 1; deaths <= 4; deaths++) {
      kill(service, 1);
      await until('another', () => pidsOf(service, 1).length === deaths + 1);
    }
    const waitsMs = logOf(service).flatMap(({ afterMs }) => afterMs ?? []);
    const within = [100, 200, 400, 800].map((most, i) => {
      const waitMs = waitsMs[i] ?? 0;
      return waitMs >= most / 2 && waitMs <= most;
    });
    expect([waitsMs.length, within]).toEqual([4, [true, true, true, true]]);
  });
});

describe('the end', () => {
  it('comes with 0 on SIGTERM when idle, and leaves no worker', async () => {
    await using service = await startService(two);
    await workersReady(service, 2);
    const pids = [...pidsOf(service, 1), ...pidsOf(service, 2)];
    service.child.process.kill('SIGTERM');
    expect([await service.child.ended, pids.length, pids.filter(lives)]).toEqual([{ code: 0, signal: null }, 2, []]);
  });

  it.each([
    ['SIGTERM to the primary', 'SIGTERM', false],
    ['Ctrl-C, which reaches the workers too', 'SIGINT', true],
  ] as const)('loses no request under keep-alive load, on %s', async (_title, signal, toWorkers) => {
    await using redis = await startRedis();
    await using service = await startService({ ...two, ...unlimited, REDIS_ADDR: `127.0.0.1:${redis.port}` });
    await workersReady(service, 2);
    const load = keepAliveLoad(service.url, 30);
    await until('load', () => load.statuses.length > 500);
    const pids = toWorkers ? [...pidsOf(service, 1), ...pidsOf(service, 2)] : [];
    for (const pid of [...pids, service.pid]) process.kill(pid, signal);
    await load.over;
    expect(await service.child.ended).toEqual({ code: 0, signal: null });
    expect({ lost: load.lost, closed: load.closed(), others: load.statuses.filter((it) => it !== 200) }).toEqual({
      lost: [],
      closed: 30,
      others: [],
    });
  });

  it('comes for the workers too when the primary is killed', async () => {
    await using service = await startService(two);
    await workersReady(service, 2);
    const pids = [...pidsOf(service, 1), ...pidsOf(service, 2)];
    await service.child.kill();
    await until('the end of both workers', () => pids.length === 2 && !pids.some(lives));
  });
});

describe('the start', () => {
  it('is refused once, with 78, when the configuration is bad', async () => {
    await using child = spawnService({ PORT: String(await freePort()), WORKERS: '2', RATE_LIMIT: '-5' });
    expect([await child.ended, child.stdout(), child.stderr()]).toEqual([
      { code: 78, signal: null },
      '',
      'The environment is not usable:\n  RATE_LIMIT is "-5"; allowed: a whole number from 1 to 1000000\n',
    ]);
  });

  it('is refused once, with 1, when the port is taken', async () => {
    await using server = await startNonsense('');
    await using child = spawnService({ PORT: String(server.port), WORKERS: '2', REDIS_ADDR: '127.0.0.1:1' });
    expect([await child.ended, child.stdout(), child.stderr()]).toEqual([
      { code: 1, signal: null },
      '',
      `Cannot listen on 127.0.0.1:${server.port}: the port is taken; choose another with PORT\n`,
    ]);
  });

  it('is given up, with 1, when a worker dies before any could decide', async () => {
    const dies = encodeURIComponent("if (process.argv[2] === 'worker') process.kill(process.pid, 'SIGKILL')");
    await using child = spawnService({
      PORT: String(await freePort()),
      WORKERS: '2',
      REDIS_ADDR: '127.0.0.1:1',
      NODE_OPTIONS: `--import=data:text/javascript,${dies}`,
    });
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toMatch(/^Cannot start: worker [12] ended at its start \(SIGKILL\)\n$/);
  });
});
