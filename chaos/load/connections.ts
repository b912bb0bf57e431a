// Keep-alive connections to one target, each with one request under way at a time. A general client's work for a request
// was most of the generator's own, on cores that it shares with what it measures.

import type { OnReadOpts, Socket } from 'node:net';
import { giveUpMs } from '../failure.ts';
import { answerIn, type HttpAnswer } from './http-answer.ts';
import { openSocket, type Peer, peerOf } from './socket.ts';

/** Called once: with the answer when the last of it is here, or with why there is none. */
export type OnAnswer = (answer: HttpAnswer | undefined, error?: string) => void;

/** The length of the body, if any, is said by itself. */
export interface RequestSpec {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends requests, and tells each one's answer. */
export interface Requester {
  /** Only to have a connection: what is answered does not matter. */
  get(path: string, headers: Readonly<Record<string, string>>, onAnswer: OnAnswer): void;
  request(spec: RequestSpec, onAnswer: OnAnswer): void;
  close(): void;
}

interface Request {
  readonly text: string;
  readonly onAnswer: OnAnswer;
}

const sweepEveryMs = 250;
/** A connection is given up so long before its server would close it: a request could cross the closing. */
const closingMs = 1000;
/** Of all connections: what is in it is taken before the next is read. One of their own, 64 KiB for each that is new, is collected in pauses. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

export class Connections implements Requester {
  readonly #host: string;
  readonly #target: Peer;
  readonly #max: number;
  readonly #open = new Set<Connection>();
  /** The one that has been idle for the longest comes first, so that all are kept alive. */
  readonly #idle: Connection[] = [];
  readonly #waiting: Request[] = [];
  readonly #sweep: NodeJS.Timeout;

  /** As many as `max`; further requests wait for one, in order. */
  constructor(url: string, max: number) {
    this.#host = new URL(url).host;
    this.#target = peerOf(url);
    this.#max = max;
    this.#sweep = setInterval(() => this.#giveUp(), sweepEveryMs);
  }

  get(path: string, headers: Readonly<Record<string, string>>, onAnswer: OnAnswer): void {
    this.request({ method: 'GET', path, headers }, onAnswer);
  }

  request({ method, path, headers, body }: RequestSpec, onAnswer: OnAnswer): void {
    let text = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n`;
    for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
    if (body === undefined) text += method === 'GET' ? '\r\n' : 'content-length: 0\r\n\r\n';
    else text += `content-length: ${Buffer.byteLength(body)}\r\n\r\n${Buffer.from(body).toString('latin1')}`;
    this.#send({ text, onAnswer });
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const connection of this.#open) connection.fail('the client was closed');
  }

  #send(request: Request): void {
    const idle = this.#idle.shift();
    if (idle) idle.send(request);
    else if (this.#open.size < this.#max) this.#connect().send(request);
    else this.#waiting.push(request);
  }

  #connect(): Connection {
    const connection = new Connection(
      this.#target,
      () => {
        const next = this.#waiting.shift();
        if (next) connection.send(next);
        else this.#idle.push(connection);
      },
      () => {
        if (!this.#open.delete(connection)) return;
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
        const next = this.#waiting.shift();
        if (next) this.#send(next);
      },
    );
    this.#open.add(connection);
    return connection;
  }

  #giveUp(): void {
    const nowMs = performance.now();
    for (const connection of this.#open) connection.giveUpAt(nowMs);
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #onFree: () => void;
  readonly #onClosed: () => void;
  #onAnswer: OnAnswer | undefined;
  /** Since when it has been busy, or idle. */
  #sinceMs = performance.now();
  #idleMsMax = Number.POSITIVE_INFINITY;
  #received = '';
  #error = 'the connection was closed';

  constructor(peer: Peer, onFree: () => void, onClosed: () => void) {
    this.#onFree = onFree;
    this.#onClosed = onClosed;
    this.#socket = socketTo(peer, (bytes) => {
      this.#received += bytes;
      this.#receive(false);
    });
    this.#socket.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      this.#error = message || String(code); // of several addresses, each of which failed, the code alone is told
    });
    this.#socket.on('end', () => this.#receive(true));
    this.#socket.on('close', () => {
      onClosed();
      this.#settle(undefined, this.#error);
    });
  }

  send({ text, onAnswer }: Request): void {
    this.#onAnswer = onAnswer;
    this.#sinceMs = performance.now();
    this.#socket.write(text, 'latin1');
  }

  giveUpAt(nowMs: number): void {
    const forMs = nowMs - this.#sinceMs;
    if (this.#onAnswer && forMs > giveUpMs) this.fail(`no answer within ${giveUpMs / 1000} s`);
    else if (!this.#onAnswer && forMs > this.#idleMsMax) this.#close();
  }

  fail(error: string): void {
    this.#error = error;
    this.#close();
  }

  #close(): void {
    this.#onClosed(); // at once: nothing must be sent on it any more
    this.#socket.destroy();
  }

  #receive(ended: boolean): void {
    const answer = this.#whole(ended);
    if (answer) this.#take(answer);
    else if (ended) this.#close();
  }

  #whole(ended: boolean): HttpAnswer | undefined {
    try {
      return answerIn(this.#received, ended);
    } catch (error) {
      this.fail((error as Error).message);
      return undefined;
    }
  }

  #take(answer: HttpAnswer): void {
    const isReusable = this.#onAnswer !== undefined && answer.length === this.#received.length && !answer.last;
    this.#received = '';
    this.#settle(answer);
    if (isReusable) {
      const keepAliveS = /timeout=(\d+)/.exec(answer.header('keep-alive') ?? '')?.[1];
      if (keepAliveS !== undefined) this.#idleMsMax = Number(keepAliveS) * 1000 - closingMs;
      this.#sinceMs = performance.now();
      this.#onFree();
    } else {
      this.#close();
    }
  }

  #settle(answer: HttpAnswer | undefined, error?: string): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answer, error);
  }
}

/** `onBytes` gets what is received, each byte as one character. */
function socketTo(peer: Peer, onBytes: (bytes: string) => void): Socket {
  const onread: OnReadOpts = {
    buffer: readBuffer,
    callback: (length, bytes) => {
      onBytes((bytes as Buffer).toString('latin1', 0, length));
      return true;
    },
  };
  return openSocket(peer, { onread });
}
