// Redis is gone, and a program that is no Redis listens in its place: it takes every connection, and answers whatever comes
// with bytes that mean nothing. Healed by the old Redis, empty.

import { createServer, type Socket } from 'node:net';
import type { RedisHandle } from '../../environment.ts';
import { defineFault, nothing } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { placeOf } from './program.ts';

const answer = 'HTTP/1.1 400 Bad Request\r\n\r\n';
const inPlace = new Lasting();

export const nonsense = defineFault({
  kind: 'nonsense',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-process', 'redis-program'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'lost',
  endsBy: 'heal',
  async inject(environment) {
    const place = placeOf(environment);
    await environment.redis.kill();
    await inPlace.begin(environment, await answering(place));
  },
  async heal(environment) {
    await inPlace.end(environment);
    await environment.redis.start();
  },
  bites: ({ outcome, reply }) => outcome === 'other' && !reply.startsWith('-'),
  describe: () => 'A program that is no Redis answered in its place, and Redis came back empty',
});

/** Listens there until it is disposed of. */
async function answering({ host, port }: NonNullable<RedisHandle['at']>): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', () => socket.write(answer));
    socket.on('error', () => {}); // whoever wanted a Redis hung up
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
