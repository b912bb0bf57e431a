// A server that answers whatever comes with bytes of the caller's choice, and counts who came.

import { createServer, type Socket } from 'node:net';

export interface NonsenseServer extends AsyncDisposable {
  readonly port: number;
  readonly connections: () => number;
}

/** Answers the first bytes of each connection with `answer` and leaves the connection open, as far as the client does. */
export async function startNonsense(answer: string): Promise<NonsenseServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.once('data', () => socket.write(answer));
    socket.on('error', () => {}); // the client hung up on nonsense
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
