import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Intake, unansweredMax } from '../../../service/doors/intake.ts';
import { until } from '../../support/until.ts';

const requests = (count: number, first = 0) =>
  Array.from({ length: count }, (_, n) => `GET /${first + n} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');

/** A server behind an intake that answers each request with its path; a request that `waits` is answered by its caller. */
async function serve(listener: (waiting: ReturnType<Intake['of']>, ...it: Parameters<RequestListener>) => void) {
  const intake = new Intake();
  const sockets: Socket[] = [];
  const server = createServer({ optimizeEmptyRequests: true }, (request, response) =>
    listener(intake.of(request.socket), request, response),
  );
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket: Socket) => sockets.push(socket));
  const port = createNetServer({ allowHalfOpen: true, noDelay: true }, (socket) => intake.accept(socket, server));
  await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
  return {
    port: (port.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => port.close(resolve));
    },
  };
}

/** A client that reads; the paths that it was answered with, in their order, and whether this one is the newest. */
function client(port: number, text: string) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (data: string) => {
    received += data;
  });
  socket.on('error', () => {});
  socket.write(text);
  return {
    socket,
    paths: () => received.match(/(?<=\r\n\r\n)\/\d+(?=;)/g) ?? [],
    hasCome: (n: number) => received.slice(-30_000).includes(`\r\n\r\n/${n};`),
  };
}

const pathsTo = (count: number, first = 0) => Array.from({ length: count }, (_, n) => `/${first + n}`);

describe('a connection that sends many requests at once', () => {
  it('has at most 32 of them read while none is answered, and all answered in their order when they are', async () => {
    const waiting: (() => void)[] = [];
    let open = true;
    await using server = await serve((connection, request, response) => {
      const answer = () => response.end(`${request.url};`);
      if (!open) return void answer();
      connection?.begin();
      waiting.push(() => {
        answer();
        connection?.end();
      });
    });
    const count = 50_000;
    const { paths, hasCome } = client(server.port, requests(count));
    await until('a request', () => waiting.length > 0);
    await sleep(500); // for more, were there any
    expect(waiting.length).toBeGreaterThan(unansweredMax / 2);
    expect(waiting.length).toBeLessThanOrEqual(unansweredMax);
    expect(server.sockets[0]?.bytesRead).toBeLessThan(512 * 1024); // of 1.6 MB
    open = false;
    for (const answer of waiting) answer();
    await until('the last answer', () => hasCome(count - 1));
    expect(paths()).toEqual(pathsTo(count));
  });

  it('is answered what it asked itself, while others send as many', async () => {
    await using server = await serve((_connection, request, response) => response.end(`${request.url};`));
    const count = 2000;
    const clients = [1, 2, 3].map((it) => {
      const first = it * 10_000;
      return { first, ...client(server.port, requests(count, first)) };
    });
    await until('all answers', () => clients.every(({ first, hasCome }) => hasCome(first + count - 1)));
    for (const { first, paths } of clients) expect(paths()).toEqual(pathsTo(count, first));
  });

  it('waits too when each comes in a packet of its own', async () => {
    const waiting: ServerResponse[] = [];
    await using server = await serve((connection, _request, response) => {
      connection?.begin();
      waiting.push(response);
    });
    const { socket } = client(server.port, '');
    socket.setNoDelay(true);
    for (let n = 0; n < 100; n++) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await sleep(2);
    }
    await sleep(200);
    expect(waiting.length).toBeLessThanOrEqual(2 * unansweredMax); // packets that met in the network come as one
  });

  it('leaves a turn of the event loop to the others after about a millisecond, be they fifty', async () => {
    let thisTurn = 0;
    let mostInATurn = 0;
    let all = 0;
    await using server = await serve((_connection, request, response) => {
      if (thisTurn++ === 0)
        setImmediate(() => {
          mostInATurn = Math.max(mostInATurn, thisTurn);
          thisTurn = 0;
        });
      all++;
      response.end(`${request.url};`);
    });
    const clients = Array.from({ length: 50 }, () => client(server.port, requests(1000)));
    await until('all answers', () => clients.every(({ hasCome }) => hasCome(999)));
    expect([all, clients.every(({ paths }) => String(paths()) === String(pathsTo(1000)))]).toEqual([50_000, true]);
    expect(mostInATurn).toBeLessThan(500); // Node by itself: some 2,500 for each connection
  });

  it('is not read on while it does not read its answers, and gets all of them when it does', async () => {
    let all = 0;
    const body = 'x'.repeat(20_000);
    await using server = await serve((_connection, request, response) => {
      all++;
      response.end(`${request.url};${body}`);
    });
    const count = 2000; // 40 MB of answers
    const { socket, paths, hasCome } = client(server.port, requests(count));
    socket.pause();
    let before = -1;
    await until('a standstill', async () => {
      const stands = all > 0 && all === before;
      before = all;
      await sleep(300);
      return stands;
    });
    expect(all).toBeLessThan(count / 2);
    socket.resume();
    await until('the last answer', () => hasCome(count - 1));
    expect(paths()).toEqual(pathsTo(count));
  });

  it('is answered all of them after it has said that it sends no more', async () => {
    await using server = await serve((connection, request, response) => {
      connection?.begin();
      setImmediate(() => {
        response.end(`${request.url};`);
        connection?.end();
      });
    });
    const { socket, paths } = client(server.port, requests(5000));
    socket.end();
    await new Promise((resolve) => socket.once('end', resolve));
    expect(paths()).toEqual(pathsTo(5000));
  });
});
