// Where the log goes: standard output, whoever reads it. A reader that is slow or stuck must cost no decision, no memory
// and no time at the end, so nothing here waits for it:
//
//   line ─▶ at most 1 MiB that waits ─▶ non-blocking writes ─▶ standard output
//     └──▶ counted, when there is no room, or no reader any more

import { constants, fstatSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import sonic from 'sonic-boom';

/** Bytes that wait to be written. */
const waitingMax = 1 << 20;
/** PIPE_BUF of Linux: a pipe takes so much whole or not at all, so lines of several workers do not mix. Bytes. */
const writeMax = 4096;

/** No reader will ever come again: of a pipe, of a terminal, of a socket. */
const readerGone: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO', 'ECONNRESET']);

export class LogOutput {
  /** Lines that were not written and never will be. */
  dropped = 0;
  /** Lines that were not written yet. */
  #waiting = 0;
  #gone = false;
  readonly #stream: sonic.SonicBoom;

  constructor(fd: number = nonBlockingStdout()) {
    this.#stream = new sonic.SonicBoom({ fd, sync: false, maxLength: waitingMax, maxWrite: writeMax });
    this.#stream.on('drain', () => {
      this.#waiting = 0;
    });
    this.#stream.on('drop', () => {
      this.#waiting--;
      this.dropped++;
    });
    // On a full disk it tries again with the next line.
    this.#stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (!readerGone.has(code)) return;
      this.#gone = true;
      this.dropped += this.#waiting;
      this.#waiting = 0;
    });
  }

  /** As pino wants it. */
  write(line: string): void {
    if (this.#gone) {
      this.dropped++;
      return;
    }
    this.#waiting++;
    this.#stream.write(line);
  }

  /** Resolves when every line is written or dropped, after `ms` at the latest. */
  async written(ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    while (this.#waiting > 0 && performance.now() < endMs) await sleep(5);
  }
}

/**
 * A write that blocks would hold a thread, and the end of the process with it. A pipe or a terminal is opened anew, so
 * that whoever else has it is not disturbed. Where that cannot be done, as for a socket, Node makes it non-blocking itself
 * as soon as `process.stdout` is looked at; a file does not block.
 */
function nonBlockingStdout(): number {
  const it = fstatSync(1);
  if (it.isFIFO() || it.isCharacterDevice()) {
    try {
      return openSync('/dev/fd/1', constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {}
  }
  process.stdout.on('error', () => {});
  return 1;
}
