// Reads a source in a thread of its own: to parse a long one takes longer than a request may wait, and a file system
// that hangs holds up nobody. The thread stays, with the readers of YAML and of schemas loaded, so that the next reading is
// a matter of milliseconds.

import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sourceSettings } from './source.ts';
import type { Reading, SourceQuestion } from './source-thread.ts';

export class SourceReader {
  #thread: Worker | undefined;

  /** Has it ready before it is needed. */
  start(): Worker {
    const thread = new Worker(join(import.meta.dirname, `source-thread${extname(import.meta.filename)}`));
    thread.on('error', () => {}); // whoever waits for its answer hears of it
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    thread.unref();
    this.#thread = thread;
    return thread;
  }

  /** One question at a time. Never rejects: a thread that dies of it has made a mistake of the source. */
  async read(question: SourceQuestion): Promise<Reading> {
    const thread = this.#thread ?? this.start();
    thread.postMessage(question);
    try {
      const [reading] = await once(thread, 'message'); // rejects with an error of the thread
      return reading as Reading;
    } catch (error) {
      const name = `${sourceSettings[question.name]} ${question.path}`;
      return { mistakes: [`${name} cannot be read: ${(error as Error).message}`] };
    }
  }
}
