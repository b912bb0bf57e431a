// The port that clients connect to, for whoever holds it: the server itself, or the process in front of the workers.

import type { Server } from 'node:net';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Connections that may wait to be accepted. */
export const acceptBacklog = 4096;

/** Resolves when `server` listens; rejects when it cannot. */
export function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: acceptBacklog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
