import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { commandOf, pipelinesOf } from './resp-pipelines.ts';

/** Loads a server for a second, which is told what comes over a connection. */
async function loaded(onData: (socket: Socket, text: string) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (text) => onData(socket, String(text)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const pipelines = ['a', 'b'].map((key) => Buffer.from(commandOf('T', key).repeat(3)));
  const load = { port, pipelines, commands: 3, lines: 2, connections: 2, seconds: 1 };
  return pipelinesOf(load, new AbortController().signal).finally(() => server.close());
}

it('the next pipeline is sent when the last one is answered whole, however the answers are cut', async () => {
  const counts = new Map<Socket, number>();
  const run = await loaded((socket, text) => {
    const count = (counts.get(socket) ?? 0) + text.split('$1\r\nT').length - 1;
    counts.set(socket, count % 3);
    for (let i = 0; i < Math.floor(count / 3); i++)
      for (const piece of ['*1\r', '\n:0\r\n*1\r\n:-1\r\n*1\r\n:', '2\r\n']) socket.write(piece);
  });
  expect(counts.size).toBe(2);
  expect(run.answered).toBeGreaterThan(3);
  expect(run.answered % 3).toBe(0);
  expect(run.p99Ms).toBeGreaterThan(0);
});

it('an error, or an end, is no answer', async () => {
  await expect(loaded((socket) => socket.write('*1\r\n:0\r\n-ERR no\r\n'))).rejects.toThrow('-ERR no');
  await expect(loaded((socket) => socket.end())).rejects.toThrow('the server closed the connection');
});
