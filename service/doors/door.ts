// A way into the service: decodes what its clients ask, asks the limiter and encodes the decisions. Each has a port of its
// own. Who listens there hands it the connections: the process itself, or the primary in front of the workers.

import type { Socket } from 'node:net';

/** The setting that says each door's port. */
export const portSettings = { http: 'PORT', resp: 'RESP_PORT', grpc: 'GRPC_PORT' } as const;

export type DoorName = keyof typeof portSettings;

export interface Door {
  readonly name: DoorName;
  /** Takes a connection that nobody has read from. A client that ends its side still hears: the door ends the other. */
  accept(socket: Socket): void;
  /** Answers what was accepted, for at most `graceMs`, and closes every connection. It is given none after this. */
  close(graceMs: number): Promise<void>;
}

/** A client's connection, and the door whose port it came to. */
export interface Arrival {
  readonly door: DoorName;
  readonly socket: Socket;
}
