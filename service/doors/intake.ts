// What stands between a connection and the HTTP parser, so that one client which sends many requests at once delays nobody
// else and fills no memory.
//
//   socket ─▶ one request? ─ yes ─────────────────────────────▶ parser ─▶ door
//                 │ no, or too many are unanswered                ▲
//                 └─▶ paused, the bytes stay in the socket ─▶ turn, a piece at a time
//
// Node's parser hands on every request of a chunk in one turn of the event loop, and a chunk of 64 KiB holds some 2,500 of
// them. So a chunk that holds more than the end of one request is given to it in pieces, each of which can't hold more
// requests than the connection may still have unanswered. The pieces of all such connections share a fixed part of each
// turn, and a connection's next piece waits until its last one is answered and sent. Only what documented streams do is
// used here: pause, push, unshift, read, resume.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { readIntoOneBuffer } from './one-buffer.ts';

/** Requests of one connection that are read and not answered, at the most. */
export const unansweredMax = 32;

/** The shortest request there is: `GET / HTTP/1.1`, `Host:` and an empty line. */
const requestBytesMin = 25;
const pieceBytesMax = unansweredMax * requestBytesMin;

/** Of each turn of the event loop, for all connections that send many at once. */
const turnMsMax = 1;

const headersEnd = '\r\n\r\n';
const lineFeed = 10;
const carriageReturn = 13;

/** A connection's requests that wait for their decision. */
export interface Waiting {
  begin(): void;
  end(): void;
}

export class Intake {
  readonly #connections = new WeakMap<Socket, Connection>();
  /** Connections with bytes to read, in the order in which they get a piece. */
  readonly #queue: Connection[] = [];
  #turn: NodeJS.Immediate | undefined;

  /** Gives the server a connection, and stands before its parser. */
  accept(accepted: Socket, server: Server): void {
    const socket = readIntoOneBuffer(accepted, (chunk) => connection.read(chunk));
    server.emit('connection', socket);
    // The parser reads by itself until somebody listens; then it is told by a listener of its own, in whose place we are.
    const parse = socket.listeners('data').at(-1) as (chunk: Buffer) => void;
    const connection = new Connection(socket, parse, (ready) => this.#enqueue(ready));
    socket.on('data', (chunk: Buffer) => connection.take(chunk));
    socket.off('data', parse);
    this.#connections.set(socket, connection);
  }

  /** To say that a request of this connection waits, and when it is answered; undefined for one that is not guarded. */
  of(socket: Socket): Waiting | undefined {
    return this.#connections.get(socket);
  }

  #enqueue(connection: Connection): void {
    this.#queue.push(connection);
    this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#turn = undefined;
    const endMs = performance.now() + turnMsMax;
    // Who comes again in this turn waits for the next one: its answers are sent in between.
    for (let left = this.#queue.length; left > 0; left--) {
      this.#queue.shift()?.takePiece();
      if (performance.now() > endMs) break;
    }
    if (this.#queue.length > 0) this.#turn ??= setImmediate(() => this.#takeTurn());
  }
}

class Connection implements Waiting {
  readonly #socket: Socket;
  readonly #parse: (chunk: Buffer) => void;
  readonly #enqueue: (connection: Connection) => void;
  #unanswered = 0;
  /** `flowing`: each chunk is passed on as it comes; `held`: what comes stays in the socket; `piece`: one is passed on. */
  #state: 'flowing' | 'held' | 'piece' = 'flowing';
  /** Held, and not in the queue until the last unanswered request is answered. */
  #idle = false;

  constructor(socket: Socket, parse: (chunk: Buffer) => void, enqueue: (connection: Connection) => void) {
    this.#socket = socket;
    this.#parse = parse;
    this.#enqueue = enqueue;
  }

  begin(): void {
    this.#unanswered++;
  }

  end(): void {
    this.#unanswered--;
    if (this.#unanswered > 0 || !this.#idle) return;
    this.#idle = false;
    this.#enqueue(this);
  }

  /** What comes on the connection; the chunk holds until this returns. */
  read(chunk: Buffer): void {
    if (this.#socket.destroyed) return;
    if (this.#passesAll() && endsAtMostOne(chunk)) {
      this.#parse(chunk);
      return;
    }
    this.#socket.pause();
    this.#socket.push(Buffer.from(chunk));
    this.#hold();
  }

  /** What the socket lets go of what it holds. */
  take(chunk: Buffer): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (this.#state === 'piece' || (this.#passesAll() && endsAtMostOne(chunk))) {
      this.#parse(chunk);
      return;
    }
    // The server resumes a socket at each of its requests, so this comes again while it is held.
    socket.pause();
    socket.unshift(chunk);
    this.#hold();
  }

  #hold(): void {
    if (this.#state === 'held') return;
    this.#state = 'held';
    this.#enqueue(this);
  }

  /** Its turn: passes on a piece, if all that it was given before is answered and sent. */
  takePiece(): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return; // told to close: nothing more is read
    if (this.#unanswered > 0) {
      this.#idle = true;
    } else if (socket.writableLength > 0) {
      socket.write('', () => this.#enqueue(this)); // its client doesn't read; goes on when it has
    } else if (socket.readableLength > 0) {
      this.#state = 'piece';
      socket.read(Math.min(pieceBytesMax, socket.readableLength)); // and `take` is given it
      this.#state = 'held';
      socket.pause();
      this.#enqueue(this);
    } else {
      this.#state = 'flowing';
      socket.resume();
    }
  }

  #passesAll(): boolean {
    return this.#state === 'flowing' && this.#unanswered < unansweredMax && !this.#socket.writableEnded;
  }
}

/** Whether a chunk completes one request's headers at the most. */
function endsAtMostOne(chunk: Buffer): boolean {
  // Nearly always it is one request, of a few lines: they are looked through here, since a call of indexOf costs more.
  const last = chunk.length - headersEnd.length;
  for (let at = 0; at < last; at++) {
    if (chunk[at] !== lineFeed || chunk[at + 2] !== lineFeed || chunk[at + 1] !== carriageReturn) continue;
    return chunk.indexOf(headersEnd, at + 3, 'latin1') === -1; // a body may follow
  }
  return true;
}
