// The door of Redis clients: takes bring their limits along, as in redis-cell and throttlecrab.

import type { Socket } from 'node:net';
import type { Sharing } from '../../core/limit.ts';
import type { Door } from '../door.ts';
import type { Tokens } from '../json/tokens.ts';
import type { Readiness } from '../readiness.ts';
import { TokenSet } from '../token-set.ts';
import { CallerLimits } from './caller-limits.ts';
import { clientCommands } from './client-commands.ts';
import type { CommandKind } from './command.ts';
import { Connection } from './connection.ts';
import { error } from './replies.ts';
import { serverCommands } from './server-commands.ts';
import { type ThrottleParts, throttleCommands } from './throttle.ts';
import { Turns } from './turns.ts';

export interface RespDoorOptions extends Omit<ThrottleParts, 'limits'> {
  /** Among whom a limit is divided during an outage. */
  readonly sharing: Sharing;
  /** Any of them is a password; without one for the API, none is asked for. */
  readonly tokens: Tokens;
  /** For `INFO`. */
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** A defect of ours. */
  readonly onDefect: (error: unknown) => void;
}

/** As many as Redis has unless told. */
const connectionsMax = 10_000;
const checkEveryMs = 1000;
/** Stopping: how long a client that is idle may have a command under way. */
const quietMs = 500;

export class RespDoor implements Door {
  readonly name = 'resp';
  readonly #options: RespDoorOptions;
  /** By their names in small letters, and in capitals, as clients write them. */
  readonly #spelled = new Map<string, CommandKind>();
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #turns = new Turns();
  readonly #check: NodeJS.Timeout;
  readonly #isOpen: boolean;
  #accepted = 0;

  constructor(options: RespDoorOptions) {
    const { limiter, buckets, sharing, tokens } = options;
    const { api, admin } = tokens;
    const passwords = api === undefined ? undefined : new TokenSet([api, admin]);
    const kinds = new Map<string, CommandKind>();
    const all = [
      ...throttleCommands({ limiter, buckets, limits: new CallerLimits(sharing) }),
      ...clientCommands(passwords),
      ...serverCommands(() => kinds, options.readiness),
    ];
    for (const kind of all) {
      kinds.set(kind.name, kind);
      this.#spelled.set(kind.name, kind).set(kind.name.toUpperCase(), kind);
    }
    this.#options = options;
    this.#isOpen = passwords === undefined;
    this.#check = setInterval(() => {
      const nowMs = performance.now();
      for (const connection of this.#connections) connection.check(nowMs);
    }, checkEveryMs).unref();
  }

  accept(socket: Socket): void {
    if (this.#connections.size >= connectionsMax) {
      socket.on('error', () => {});
      socket.end(error('ERR max number of clients reached'), 'latin1', () => socket.destroy());
      return;
    }
    socket.setKeepAlive(true, 60_000); // finds a client that has gone without a word
    const session = { id: ++this.#accepted, protocol: 2, isKnown: this.#isOpen, name: '', isOver: false } as const;
    const { onDefect } = this.#options;
    const connection = new Connection({
      socket,
      session: { ...session },
      kinds: this.#spelled,
      turns: this.#turns,
      onDefect,
    });
    this.#connections.add(connection);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#connections.delete(connection);
      this.#sockets.delete(socket);
    });
  }

  /** A connection is closed once what came over it is answered; one that is idle, after some time for what is under way. */
  async close(graceMs: number): Promise<void> {
    const closed = Promise.all([...this.#sockets].map((socket) => new Promise((done) => socket.once('close', done))));
    const quiet = setTimeout(
      () => {
        for (const connection of this.#connections) connection.end();
      },
      Math.min(quietMs, graceMs),
    );
    const force = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(quiet);
    clearTimeout(force);
    clearInterval(this.#check);
  }
}
