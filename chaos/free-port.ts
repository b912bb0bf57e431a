import { createServer, type Server } from 'node:net';
import { LabError } from './errors.ts';

// Below the range from which systems give ports to whoever asks for any (from 32,768 on Linux, 49,152 elsewhere): a
// connection that goes out between the choice of a port and its use could take it.
const ports = { from: 12_000, count: 10_000 };
/** The bus of a cluster node listens so far above its port. */
const busOffset = 10_000;
/** So many ports are kept for who asked. One that comes before them is listened on by now, or not wanted any more. */
const keptMax = 200;
const kept: Server[] = [];
let turn = Math.floor(Math.random() * ports.count);

/**
 * A loopback TCP port that was free a moment ago, as was that of its bus. Ports come in turn: none comes twice soon. Where
 * the system has abstract sockets (Linux), no other process gets it before it can be listened on.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < ports.count; tries++) {
    const port = ports.from + (turn++ % ports.count);
    if ((await isOurs(port)) && (await isFree(port)) && (await isFree(port + busOffset))) return port;
  }
  throw new LabError(`No free port from ${ports.from} to ${ports.from + ports.count - 1}`);
}

/** Keeps the port by a name that one process can have at a time, and loses as it ends. */
function isOurs(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(`\0failopen-port-${port}`, () => {
      kept.push(server);
      if (kept.length > keptMax) kept.shift()?.close();
      resolve(true);
    });
    server.unref();
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
