// Reads a policies file in a thread of its own: to parse a long one takes longer than a request may wait, and a file system
// that hangs holds up nobody. The thread stays, with the readers of YAML and of schemas loaded, so that the next reading is
// a matter of milliseconds.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { PoliciesQuestion, PoliciesReading } from './policies-thread.ts';

export class PoliciesReader {
  #thread: Worker | undefined;

  /** Has it ready before it is needed. */
  start(): Worker {
    const thread = new Worker(new URL('./policies-thread.ts', import.meta.url));
    thread.on('error', () => {}); // whoever waits for its answer hears of it
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    thread.unref();
    this.#thread = thread;
    return thread;
  }

  /** One question at a time. Never rejects: a thread that dies of it has made a mistake of the file. */
  async read(question: PoliciesQuestion): Promise<PoliciesReading> {
    const thread = this.#thread ?? this.start();
    thread.postMessage(question);
    try {
      const [reading] = await once(thread, 'message'); // rejects with an error of the thread
      return reading as PoliciesReading;
    } catch (error) {
      return { mistakes: [`POLICIES_FILE ${question.path} cannot be read: ${(error as Error).message}`] };
    }
  }
}
