// Against servers as they are: Node's own, and bare sockets for what that would not do.

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { Connections } from '../../../chaos/load/connections.ts';
import { until } from '../../support/until.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listening(server: Server): Promise<{ url: string; sockets: Set<Socket>; opened: () => number }> {
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on('connection', (socket: Socket) => {
    opened++;
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, opened: () => opened };
}
const http = (listener: RequestListener, options = {}) => listening(createHttpServer(options, listener));
const tcp = (onRequest: (socket: Socket) => void) =>
  listening(createServer((socket) => socket.on('data', () => onRequest(socket))));

function client(url: string, max = 4) {
  const connections = new Connections(url, max);
  cleanups.push(() => connections.close());
  return (path = '/', headers: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      connections.get(path, headers, (answer, error) =>
        resolve(error ?? `${answer?.status} ${answer?.header('x-echo')}`),
      );
    });
}

/** Puts a clock in the client's hands that only a test moves; its server, and the network, keep the real one. */
function clientClock() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  cleanups.push(() => vi.useRealTimers());
}

const echo: RequestListener = (request, response) => {
  response.setHeader('x-echo', `${request.url} ${request.headers['x-key']}`).end('Request successful!');
};

describe('connections', () => {
  it('ask for a path with headers, and give the answer', async () => {
    const { url } = await http(echo);
    expect(await client(url)('/a?b=c', { 'x-key': 'k1' })).toBe('200 /a?b=c k1');
  });

  it('send a body with any method, and give the one that comes back', async () => {
    const { url } = await http((request, response) => {
      response.write(`${request.method} ${request.headers['content-length']} `);
      request.pipe(response);
    });
    const connections = new Connections(url, 1);
    cleanups.push(() => connections.close());
    const spec = { method: 'POST', path: '/check', headers: {}, body: '{"key":"één"}' };
    const body = await new Promise((resolve) => connections.request(spec, (answer) => resolve(answer?.body())));
    expect(body).toBe('POST 15 {"key":"één"}');
  });

  it('say that there is no body where a method may have one, and none is sent', async () => {
    const { url } = await http((request, response) => response.end(`${request.headers['content-length']}`));
    const connections = new Connections(url, 1);
    cleanups.push(() => connections.close());
    const bodyFor = (method: string) =>
      new Promise((resolve) =>
        connections.request({ method, path: '/', headers: {} }, (answer) => resolve(answer?.body())),
      );
    expect([await bodyFor('POST'), await bodyFor('GET')]).toEqual(['0', 'undefined']);
  });

  it('are kept, and taken in turn, as many as they may be', async () => {
    const { url, opened } = await http(echo);
    const get = client(url, 3);
    const wanted = Array.from({ length: 100 }, (_, i) => `200 /${i} undefined`);
    expect(await Promise.all(wanted.map((_, i) => get(`/${i}`)))).toEqual(wanted);
    for (const [i, answer] of wanted.entries()) expect(await get(`/${i}`)).toBe(answer);
    expect(opened()).toBe(3);
  });

  it('read an answer that comes byte by byte', async () => {
    const { url } = await tcp(async (socket) => {
      for (const byte of 'HTTP/1.1 429 No\r\nx-echo: slow\r\ncontent-length: 2\r\n\r\n{}') {
        socket.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expect(await client(url)()).toBe('429 slow');
  });

  it('tell of a refused one, and of one that ends without an answer, and go on', async () => {
    expect(await client(`http://127.0.0.1:${await freePort()}`)()).toMatch(/ECONNREFUSED/);
    let requests = 0;
    const { url } = await http((request, response) =>
      ++requests === 1 ? request.socket.destroy() : echo(request, response),
    );
    const get = client(url, 1);
    expect(await Promise.all([get(), get('/next')])).toEqual(['the connection was closed', '200 /next undefined']);
  });

  it('tell of a reset', async () => {
    const { url } = await tcp((socket) => socket.resetAndDestroy());
    expect(await client(url)()).toMatch(/ECONNRESET/);
  });

  it('tell of what is no HTTP, and of more than was asked for', async () => {
    const { url } = await tcp((socket) => socket.write('-ERR unknown command\r\n\r\n'));
    expect(await client(url)()).toBe('no HTTP/1.1 answer: "-ERR unknown command\\r\\n\\r\\n"');
    const one = 'HTTP/1.1 200 OK\r\nx-echo: 1\r\ncontent-length: 0\r\n\r\n';
    const twice = await tcp((socket) => socket.write(one + one));
    const get = client(twice.url, 1);
    expect([await get(), await get()]).toEqual(['200 1', '200 1']);
    expect(twice.opened()).toBe(2);
  });

  it('are replaced after the last answer that one takes', async () => {
    const { url, opened } = await http((request, response) => echo(request, response.setHeader('connection', 'close')));
    const get = client(url, 1);
    expect(await Promise.all([get('/1'), get('/2')])).toEqual(['200 /1 undefined', '200 /2 undefined']);
    expect(opened()).toBe(2);
  });

  it('are not used when their server has closed them', async () => {
    const { url, sockets, opened } = await http(echo);
    const get = client(url, 1);
    await get();
    for (const socket of sockets) socket.end();
    await until('the connection is closed', () => sockets.size === 0);
    expect([await get('/2'), opened()]).toEqual(['200 /2 undefined', 2]);
  });

  it('are closed a second before their server would', async () => {
    const { url, sockets } = await http(echo, { keepAliveTimeout: 120_000 });
    clientClock();
    await client(url, 1)();
    vi.advanceTimersByTime(119_000);
    for (let i = 0; i < 10; i++) await turn();
    expect(sockets.size).toBe(1);
    vi.advanceTimersByTime(500);
    vi.useRealTimers();
    await until('the connection is closed', () => sockets.size === 0);
  });

  it('give up after 10 s, and go on', async () => {
    let requests = 0;
    const { url } = await http((request, response) => (++requests === 1 ? undefined : echo(request, response)));
    clientClock();
    const get = client(url, 1);
    const answers = [get('/1'), get('/2')];
    await until('the first request', () => requests === 1);
    vi.advanceTimersByTime(10_000);
    for (let i = 0; i < 10; i++) await turn();
    expect(requests).toBe(1);
    vi.advanceTimersByTime(500);
    expect(await Promise.all(answers)).toEqual(['no answer within 10 s', '200 /2 undefined']);
  });
});
