// The HTTP server of the standalone service: its time limits, and how it stops. Its connections are given to it.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Door } from './door.ts';
import type { Intake } from './intake.ts';

export interface HttpServer extends Door {
  readonly server: Server;
}

export interface HttpServerOptions {
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number;
}

export function createHttpServer(
  { keepAliveTimeoutMs }: HttpServerOptions,
  api: RequestListener,
  intake: Intake,
): HttpServer {
  const server = createServer(
    {
      keepAliveTimeout: keepAliveTimeoutMs,
      requestTimeout: 30_000, // ms; a request that trickles in for longer is answered 408
      headersTimeout: 10_000, // ms
      maxHeaderSize: 40_960, // bytes, and some for each header; nginx takes 32 KiB of a client's, and asks with all of it
      connectionsCheckingInterval: 500, // ms; how late those two may be. 30 s unless told
      optimizeEmptyRequests: true, // no stream for a body that is not there: 7 % less work per request
    },
    api,
  );
  server.on('checkContinue', api); // whoever asks first whether to send its body is told so only where it is read
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.maxHeadersCount = 0; // Node leaves out those behind the 2,000th, a key perhaps; their size is bounded
  // A client that has sent its last request and says so (a half-closed connection) still waits for the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.emit('listening'); // it checks no time limits until it believes to listen
  return {
    name: 'http',
    server,
    accept: (socket) => intake.accept(socket, server),
    close: (graceMs) => closeServer(server, connections, graceMs),
  };
}

/**
 * Answers what arrives on the open connections, telling their clients to close, until none is left. Idle ones get `quietMs` for a request that is already under way; to Node, one that sent nothing yet is not idle.
 */
async function closeServer(server: Server, connections: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const quietMs = 500;
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  const closed = Promise.all([...connections].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  const closeIdle = () => {
    server.closeIdleConnections();
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  };
  const quiet = setTimeout(closeIdle, quietMs);
  const repeat = setInterval(closeIdle, 2 * quietMs);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(quiet);
  clearInterval(repeat);
  clearTimeout(force);
}
