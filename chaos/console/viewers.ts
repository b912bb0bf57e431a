// Everybody who looks: each gets the whole state when it connects, and then what changes, as server-sent events. A page
// that lost its connection simply connects again.

import type { ServerResponse } from 'node:http';
import type { Feed } from './messages.ts';

const beatMs = 15_000;
/** A viewer that has this much unread is let go; it comes back and gets the whole state. */
const unreadBytesMax = 4 << 20;

export class Viewers implements Disposable {
  readonly #all = new Set<ServerResponse>();
  readonly #beat = setInterval(() => this.#write(': still here\n\n'), beatMs);

  /** `state` is everything, as of now. */
  add(response: ServerResponse, state: Feed): void {
    response.setHeader('Content-Type', 'text/event-stream');
    response.write('retry: 1000\n\n');
    for (const [name, data] of Object.entries(state)) response.write(frame(name, data));
    this.#all.add(response);
    response.once('close', () => this.#all.delete(response));
  }

  publish<K extends keyof Feed>(name: K, data: Feed[K]): void {
    if (this.#all.size > 0) this.#write(frame(name, data));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
    for (const response of this.#all) response.end();
  }

  #write(text: string): void {
    for (const response of this.#all) {
      if (response.writableLength > unreadBytesMax) response.destroy();
      else response.write(text);
    }
  }
}

function frame(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
