// Follows an append-only file of events: what has been added since the last look.

import { closeSync, readSync } from 'node:fs';
import type { HistoryEvent } from '../history.ts';
import { openFile } from '../host/run-files.ts';
import { EventLines } from '../report/event-lines.ts';

const chunkBytes = 1 << 18;
/** Ten times what a run at the highest rate adds in half a second; more would keep the console from its viewers. */
const lookBytesMax = 32 << 20;

export class Tail implements Disposable {
  readonly #fd: number;
  readonly #chunk = Buffer.alloc(chunkBytes);
  readonly #lines: EventLines;
  #events: HistoryEvent[] = [];

  /** Throws when it cannot be read. */
  constructor(path: string) {
    this.#fd = openFile(path);
    // What is no event makes the record damaged, as its report will tell.
    this.#lines = new EventLines(
      (event) => this.#events.push(event),
      () => {},
    );
  }

  /** The events of lines that are complete by now. */
  read(): HistoryEvent[] {
    this.#events = [];
    for (let bytes = 0; bytes < lookBytesMax; ) {
      const n = readSync(this.#fd, this.#chunk);
      if (n === 0) break;
      this.#lines.take(this.#chunk.subarray(0, n));
      bytes += n;
    }
    return this.#events;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
