// The runner's end of the load generator process.

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { within } from '../clock.ts';
import { LabError } from '../errors.ts';
import type { AnswerEvent } from '../history.ts';
import type { UndoLog } from '../host/undo-log.ts';
import type { LoadPlan } from './load.ts';
import type { FromGenerator, ToGenerator } from './load-process.ts';

/** For the process to start, and to warm up with each target. */
const readyMsUsual = 30_000;
const stopMsMax = 2000;

export class Generator implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #done = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();

  private constructor(child: ChildProcess, onAnswers: (answers: readonly AnswerEvent[]) => void) {
    this.#child = child;
    child.on('message', (message: FromGenerator) => {
      if (message.type === 'answers') onAnswers(message.answers);
      else if (message.type === 'ready') this.#ready.resolve();
      else this.#done.resolve();
    });
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    this.#exited.then(() => {
      const error = new LabError('the load generator ended in mid-run');
      this.#ready.reject(error);
      this.#done.reject(error);
    });
    this.#done.promise.catch(() => {}); // also awaited where it matters
  }

  /** Starts it; when it returns, connections to every target stand. Throws when they do not within `readyMs`, and leaves nothing. */
  static async start(
    plan: LoadPlan,
    undo: UndoLog,
    onAnswers: (answers: readonly AnswerEvent[]) => void,
    readyMs = readyMsUsual,
  ) {
    const child = fork(join(import.meta.dirname, 'load-process.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', undo.fd], // the last: by it heal knows the process for the lab's
    });
    if (child.pid) undo.process('load generator', child.pid);
    const generator = new Generator(child, onAnswers);
    generator.#tell({ plan });
    const late = () => new LabError(`the load generator was not ready within ${readyMs / 1000} s`);
    try {
      await within(readyMs, generator.#ready.promise, late);
    } catch (error) {
      await generator[Symbol.asyncDispose](); // alive, it would keep its runner from ending
      throw error;
    }
    return generator;
  }

  /** Begins at this instant of the monotonic clock; resolves when every request is answered or given up. */
  run(startAtUs: number): Promise<void> {
    this.#tell({ startAtUs });
    return this.#done.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ready.promise.catch(() => {}); // nobody waits for it any more
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax);
    await this.#exited;
    clearTimeout(force);
  }

  #tell(message: ToGenerator): void {
    this.#child.send(message, () => {}); // it may have ended; its exit says so
  }
}
