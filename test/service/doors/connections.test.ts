// Clients that send too much, too little or nothing, seen from outside, with one process and with two.

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../support/redis.ts';
import { type ServiceProcess, startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const unlimited = { RATE_LIMIT: '1000000', RATE_LIMIT_BURST: '1000000', RATE_LIMIT_WINDOW_SEC: '1' };
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

interface Received {
  readonly text: string;
  /** From the connection's begin to its end. */
  readonly ms: number;
  readonly sentBytes: number;
}

/** Sends `text`, then whatever `more` yields, until the server closes. */
function talk(port: number, text: string, options: { more?: () => Buffer | undefined; end?: boolean } = {}) {
  return new Promise<Received>((resolve) => {
    const beganMs = performance.now();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    let ended = false;
    const over = () => {
      ended = true;
      resolve({ text: received, ms: performance.now() - beganMs, sentBytes: socket.bytesWritten });
      socket.destroy();
    };
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
    });
    socket.on('end', over).on('error', over);
    if (options.end) socket.end(text);
    else if (text !== '') socket.write(text);
    const pump = () => {
      for (let chunk = options.more?.(); !ended && chunk; chunk = options.more?.()) {
        if (!socket.write(chunk)) return void socket.once('drain', pump);
      }
    };
    pump();
  });
}

const statuses = ({ text }: Received) => text.match(/(?<=HTTP\/1\.1 )\d+/g)?.map(Number);

describe.each([['1'], ['2']])('with WORKERS=%s', (WORKERS) => {
  it('a client that half-closes after its requests is answered by Redis, then closed', async () => {
    await using redis = await startRedis();
    const env = { ...unlimited, WORKERS, REDIS_ADDR: `127.0.0.1:${redis.port}`, REDIS_TIMEOUT_MS: '10000' };
    await using service = await startService(env);
    const readiness = async () => (await (await fetch(`${service.url}/readyz`)).json()) as { redis: string };
    await until('Redis', async () => (await readiness()).redis === 'connected');
    for (const count of [1, 3, 100]) {
      const received = await talk(service.port, get.repeat(count), { end: true });
      expect([count, statuses(received)]).toEqual([count, Array(count).fill(200)]);
      expect(received.text).toContain('X-RateLimit-Mechanism: redis');
    }
  });

  it('SIGTERM is not held up by a connection that has sent nothing', async () => {
    await using service = await startService({ WORKERS });
    const silent = Array.from({ length: 5 }, () => talk(service.port, ''));
    await sleep(500);
    const beganMs = performance.now();
    service.child.process.kill('SIGTERM');
    expect(await service.child.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - beganMs).toBeLessThan(5000); // 0.5 s, and the machine's; it was 10 s
    expect((await Promise.all(silent)).map(({ text }) => text)).toEqual(Array(5).fill(''));
  });
});

describe('a body that nobody reads', () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startService(unlimited);
  });
  afterAll(() => service.stop());

  const chunk = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
  const plain = Buffer.alloc(0x10000);

  it.each([
    ['chunked', 'Transfer-Encoding: chunked', chunk],
    ['announced', 'Content-Length: 400000000', plain],
  ])('is not read when it is %s and large: the request is answered, then closed', async (_how, header, piece) => {
    let left = 400_000_000;
    const more = () => {
      left -= piece.length;
      return left > 0 ? piece : undefined;
    };
    const received = await talk(service.port, `GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`, { more });
    expect([statuses(received), /\r\nConnection: close\r\n/i.test(received.text)]).toEqual([[200], true]);
    expect(received.sentBytes).toBeLessThan(32e6); // what buffers of the two kernels hold
  });

  it('is not waited for when it does not come at all', async () => {
    const received = await talk(service.port, 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 400000000\r\n\r\n');
    expect([statuses(received), received.ms < 5000]).toEqual([[200], true]);
  });

  it('is not asked for', async () => {
    const expects = 'Expect: 100-continue\r\nContent-Length: 5';
    const received = await talk(service.port, `POST / HTTP/1.1\r\nHost: x\r\n${expects}\r\n\r\n`);
    expect([statuses(received), /\r\nConnection: close\r\n/i.test(received.text)]).toEqual([[405], true]);
  });

  it('that came with its request is no reason to close', async () => {
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello';
    expect(statuses(await talk(service.port, post + get + post, { end: true }))).toEqual([405, 200, 405]);
  });
});

describe('a client that is slow', () => {
  it('has ten seconds for its headers, whether it sends nothing, a part, or a byte now and then', async () => {
    await using service = await startService();
    const endless = `GET / HTTP/1.1\r\nHost: ${'x'.repeat(100)}`;
    let bytes = 0;
    const trickling = connect({ port: service.port, host: '127.0.0.1' });
    const trickle = setInterval(() => trickling.write(endless[bytes++] ?? ''), 500);
    const beganMs = performance.now();
    const trickled = new Promise<number>((resolve) => {
      trickling.resume().on('error', () => {});
      trickling.on('close', () => resolve(performance.now() - beganMs));
    });
    const all = await Promise.all([talk(service.port, ''), talk(service.port, 'GET / HTTP/1.1\r\nHost: ')]);
    const tookMs = [...all.map(({ ms }) => ms), await trickled];
    clearInterval(trickle);
    expect(all.map(statuses)).toEqual([[408], [408]]);
    for (const ms of tookMs) expect(ms).toBeGreaterThan(9900);
    for (const ms of tookMs) expect(ms).toBeLessThan(15_000); // 10.5 s, and the machine's; it was 41 s
  });
});

describe('an idle connection', () => {
  it('is kept for as long as KEEP_ALIVE_TIMEOUT_SEC says', async () => {
    await using service = await startService({ KEEP_ALIVE_TIMEOUT_SEC: '1' });
    const received = await talk(service.port, get);
    expect([statuses(received), /\r\nKeep-Alive: timeout=1\r\n/i.test(received.text)]).toEqual([[200], true]);
    expect(received.ms).toBeGreaterThan(1000);
    expect(received.ms).toBeLessThan(6000);
  });
});
