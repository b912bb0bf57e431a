// A TCP proxy in front of a Redis of a test's own, which puts bytes of the caller's choice among the replies, or keeps
// a reply back: what a broken proxy or a broken Redis would do.

import { connect, createServer, type Socket } from 'node:net';

export interface TamperingProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections ever made. */
  readonly connections: () => number;
  /** Sends these bytes to everyone connected, as if they were Redis's. */
  inject(bytes: string | Buffer): void;
  /** The same again and again, so many times, or until the connection ends. */
  flood(bytes: Buffer, times: number): void;
  /** What each connection is sent from now on in place of its first reply; undefined: the reply. */
  greeting: string | undefined;
  /** Keeps back the next bytes that Redis sends. */
  swallow(): void;
}

export async function startTamperingProxy(redisPort: number): Promise<TamperingProxy> {
  const clients = new Set<Socket>();
  let connections = 0;
  let swallowing = false;
  const server = createServer((client) => {
    connections++;
    clients.add(client);
    const redis = connect(redisPort, '127.0.0.1');
    let replies = 0;
    client.on('data', (bytes) => redis.write(bytes));
    redis.on('data', (bytes) => {
      if (replies++ === 0 && proxy.greeting !== undefined) client.write(proxy.greeting);
      else if (swallowing) swallowing = false;
      else client.write(bytes);
    });
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      one.on('error', () => {}); // a reset is the end, too
      one.on('close', () => other.destroy());
    }
    client.on('close', () => clients.delete(client));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  const proxy: TamperingProxy = {
    port: address.port,
    connections: () => connections,
    greeting: undefined,
    inject(bytes) {
      for (const client of clients) client.write(bytes);
    },
    flood(bytes, times) {
      for (const client of clients) {
        let left = times;
        const pour = () => {
          while (left-- > 0 && !client.destroyed && client.write(bytes));
        };
        client.on('drain', pour);
        pour();
      }
    },
    swallow() {
      swallowing = true;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
