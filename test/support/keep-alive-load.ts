// Clients that ask over one connection each, again and again, until the server says that it closes it.

import { Agent, get } from 'node:http';

export interface KeepAliveLoad {
  /** Status of every answer so far. */
  readonly statuses: readonly number[];
  /** Why a connection broke instead. */
  readonly lost: readonly unknown[];
  /** How many clients were told that their connection closes. */
  closed(): number;
  /** Resolves when no client asks any more. */
  readonly over: Promise<unknown>;
}

export function keepAliveLoad(url: string, clients: number): KeepAliveLoad {
  const statuses: number[] = [];
  const lost: unknown[] = [];
  let closed = 0;

  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let closing = false; !closing; ) {
      await new Promise<void>((resolve) => {
        const request = get(url, { agent }, (response) => {
          response.resume().once('end', () => {
            statuses.push(response.statusCode ?? 0);
            closing = response.headers.connection === 'close';
            if (closing) closed++;
            resolve();
          });
        });
        request.once('error', (error) => {
          lost.push(error);
          closing = true;
          resolve();
        });
      });
    }
    agent.destroy();
  };
  return { statuses, lost, closed: () => closed, over: Promise.all(Array.from({ length: clients }, client)) };
}
