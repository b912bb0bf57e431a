// Follows an append-only file of events: what has been added since the last look.

import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { HistoryEvent } from '../history.ts';
import { isEvent } from '../report/event-shape.ts';

const chunkBytes = 1 << 18;

export class Tail implements Disposable {
  readonly #fd: number;
  readonly #decoder = new StringDecoder('utf8');
  readonly #chunk = Buffer.alloc(chunkBytes);
  #rest = '';

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** The events of all lines that are complete by now. What is no event is left out. */
  read(): HistoryEvent[] {
    const events: HistoryEvent[] = [];
    for (;;) {
      const bytes = readSync(this.#fd, this.#chunk);
      if (bytes === 0) return events;
      const lines = (this.#rest + this.#decoder.write(this.#chunk.subarray(0, bytes))).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = parsed(line);
        if (isEvent(event)) events.push(event);
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
