// Connections that the lab keeps up at an instance, past its front link: for each that is closed it opens another. It asks
// for nothing on them; or for a page, of which it reads a byte each second, until it gives up and asks anew.

import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { every } from '../../clock.ts';

const againMs = 100;
const readEveryMs = 1000;
/** That the limiter has closed a connection shows only when all is read. So none is kept for longer. */
const pageMs = 3000;
/** The limiter may close some before their time: the others are a crowd all the same. */
const shareMin = 0.9;

export class Crowd implements Disposable {
  readonly #host: string;
  readonly #port: number;
  readonly #path: string | undefined;
  readonly #count: number;
  readonly #sockets = new Set<Socket>();
  readonly #reading: Disposable;
  readonly #over = new AbortController();

  /** So many connections to `url`; `path`: of the page that each asks for. */
  constructor(url: string, count: number, path?: string) {
    const { hostname, port } = new URL(url);
    [this.#host, this.#port, this.#path, this.#count] = [hostname, Number(port), path, count];
    this.#reading = every(readEveryMs, () => {
      for (const socket of this.#sockets) socket.read(1);
    });
    // One after another, so that they do not all give up at once.
    for (let i = 0; i < count; i++) this.#keepOne((pageMs * (i + 1)) / count);
  }

  /** Whether most of them are open. */
  get stands(): boolean {
    const open = [...this.#sockets].filter(({ readyState }) => readyState === 'open');
    return open.length >= this.#count * shareMin;
  }

  #keepOne(givesUpMs = pageMs): void {
    const socket = connect({ host: this.#host, port: this.#port });
    this.#sockets.add(socket);
    socket.on('readable', () => {}); // what comes waits to be read
    socket.on('error', () => {}); // `close` follows
    const givingUp = this.#path === undefined ? undefined : setTimeout(() => socket.destroy(), givesUpMs);
    socket.on('close', async () => {
      clearTimeout(givingUp);
      this.#sockets.delete(socket);
      await delay(againMs, undefined, { signal: this.#over.signal }).catch(() => {});
      if (!this.#over.signal.aborted) this.#keepOne();
    });
    if (this.#path !== undefined) socket.write(`GET ${this.#path} HTTP/1.1\r\nhost: ${this.#host}\r\n\r\n`);
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#reading[Symbol.dispose]();
    for (const socket of this.#sockets) socket.destroy();
  }
}
