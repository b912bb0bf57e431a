import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { ping } from '../../../chaos/host/ping.ts';

/** It tells its port, and then each time that it has been asked; it answers a moment later. */
const program = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      parentPort.postMessage('asked');
      setTimeout(() => socket.write('+PONG\\r\\n'), 50);
    });
  }).listen(0, '127.0.0.1', function () {
    parentPort.postMessage(this.address().port);
  });`;

it('hears an answer that came in time while the lab itself was held up', async () => {
  const server = new Worker(program, { eval: true });
  try {
    const [port] = (await once(server, 'message')) as [number];
    const seen = ping('127.0.0.1', port, 3000);
    await once(server, 'message');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3500); // beyond the end of the look
    expect(await seen).toMatchObject({ outcome: 'pong', reply: '+PONG' });
  } finally {
    await server.terminate();
  }
});
