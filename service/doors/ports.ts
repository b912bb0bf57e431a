// The ports that clients connect to, one for each door, for whoever holds them: a process that is alone, or the primary in
// front of the workers.

import { createServer, type Server } from 'node:net';
import { type Arrival, type DoorName, portSettings } from './door.ts';

/** Each port is another. */
export interface PortsAddress {
  readonly host: string;
  readonly ports: readonly DoorPort[];
}

export interface DoorPort {
  readonly door: DoorName;
  readonly port: number;
}

/** Connections that may wait to be accepted, at each port. */
export const acceptBacklog = 4096;

/** The text says which address cannot be listened on, why, and which setting it comes from. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

export interface PortsOptions {
  readonly onConnection: (arrival: Arrival) => void;
  /** Its first byte is for another process to read. */
  readonly pauseOnConnect?: boolean;
}

export class Ports {
  readonly #options: PortsOptions;
  readonly #servers: Server[] = [];

  constructor(options: PortsOptions) {
    this.#options = options;
  }

  /** Resolves when all of them listen; rejects with `CannotListen` when one cannot, and then none does. */
  async open({ host, ports }: PortsAddress): Promise<void> {
    try {
      for (const port of ports) await this.#listen(host, port);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** No connection is accepted any more; those that were stay open. */
  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }

  #listen(host: string, { door, port }: DoorPort): Promise<void> {
    const { onConnection, pauseOnConnect = false } = this.#options;
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect }, (socket) =>
      onConnection({ door, socket }),
    );
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => reject(new CannotListen(whyNot(host, { door, port }, error)));
      server.once('error', fail);
      server.listen({ host, port, backlog: acceptBacklog }, () => {
        server.off('error', fail);
        this.#servers.push(server);
        resolve();
      });
    });
  }
}

function whyNot(host: string, { door, port }: DoorPort, { code, message }: NodeJS.ErrnoException): string {
  const why = code === 'EADDRINUSE' ? 'the port is taken' : message;
  return `Cannot listen on ${host}:${port}: ${why}; choose another with ${portSettings[door]}`;
}
