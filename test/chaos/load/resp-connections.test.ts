// Against a bare server, which says what a test has it say.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { RespConnections } from '../../../chaos/load/resp-connections.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** `onCommand` is told what has come over a connection; it is one whole command in each of these tests. */
async function client(onCommand: (socket: Socket, command: string) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (command) => onCommand(socket, String(command)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connections = new RespConnections(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(() => {
    connections.close();
    server.close();
  });
  const body = '["a b",29,30,60]';
  return () =>
    new Promise((resolve) => {
      connections.request({ method: 'CL.THROTTLE', path: '', headers: {}, body }, (answer, error) =>
        resolve([answer?.status, error ?? answer?.body()]),
      );
    });
}

it('a command carries its arguments, and its reply is told as JSON', async () => {
  const commands: string[] = [];
  const ask = await client((socket, command) => {
    commands.push(command);
    socket.write('*5\r\n:0\r\n:30\r\n:29\r\n:-1\r\n:2\r\n');
  });
  expect(await ask()).toEqual([200, '[0,30,29,-1,2]']);
  expect(commands).toEqual(['*5\r\n$11\r\nCL.THROTTLE\r\n$3\r\na b\r\n$2\r\n29\r\n$2\r\n30\r\n$2\r\n60\r\n']);
});

it('a command that fails is told with why, and the next one is sent all the same', async () => {
  const ends: ((socket: Socket) => void)[] = [
    (socket) => socket.write('-ERR away\r\n'),
    (socket) => socket.destroy(),
    (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    (socket) => socket.write(':7\r\n'),
  ];
  const ask = await client((socket) => ends.shift()?.(socket));
  expect(await ask()).toEqual([500, 'ERR away']);
  expect(await ask()).toEqual([undefined, 'Connection is closed.']);
  expect(await ask()).toEqual([undefined, expect.stringContaining('Unknown RESP type')]);
  expect(await ask()).toEqual([200, '7']);
});

it('as many as are sent at once are each told their own answer, and a connection is opened anew by who comes next', async () => {
  let accepted = new Set<Socket>();
  let count = 0;
  const ask = await client((socket, command) => {
    accepted.add(socket);
    for (let left = command.split('CL.THROTTLE').length; left > 1; left--) socket.write(`:${count++}\r\n`);
  });
  const answers = async () => (await Promise.all(Array.from({ length: 100 }, ask))) as [number, string][];
  const numbers = (told: readonly [number, string][]) => told.map(([, text]) => Number(text)).sort((a, b) => a - b);
  expect(numbers(await answers())).toEqual(Array.from({ length: 100 }, (_, i) => i));
  const before = accepted;
  expect(before.size).toBe(8);
  accepted = new Set();
  for (const socket of before) socket.destroy();
  await Promise.all([...before].map((socket) => (socket.closed ? undefined : once(socket, 'close'))));
  await answers(); // may still be sent on those
  await answers();
  expect(accepted.size).toBe(8);
});

it('without anybody who listens, each command is told so', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const connections = new RespConnections(`http://127.0.0.1:${port}`);
  cleanups.push(() => connections.close());
  const told = await new Promise((resolve) => {
    connections.request({ method: 'PING', path: '', headers: {} }, (answer, error) => resolve([answer, error]));
  });
  expect(told).toEqual([undefined, 'Connection is closed.']);
  await new Promise<void>((resolve) => connections.get('/', {}, () => resolve()));
});
