// The answers of one connection, in the order of the commands. Those that are there go out in one write, up to the first
// that is still to come.

import type { Socket } from 'node:net';
import type { Later } from './command.ts';
import { error } from './replies.ts';

export interface AnswersParts {
  readonly socket: Socket;
  readonly onDefect: (error: unknown) => void;
  /** Told each time that something was written, and nothing is still to come. */
  readonly onAllWritten: () => void;
}

export class Answers {
  readonly #parts: AnswersParts;
  /** From the first that is still to come. */
  readonly #places: Place[] = [];
  /** What is answered and not written. */
  #output = '';
  #isFlushing = false;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  /** Those that are still to come, and those behind them. */
  get pending(): number {
    return this.#places.length;
  }

  /** All is written, or handed to the socket. */
  get areOut(): boolean {
    return this.#places.length === 0 && !this.#isFlushing;
  }

  /** Behind all others. */
  add(reply: string): void {
    if (this.#places.length === 0) this.#output += reply;
    else this.#places.push(this.place(reply));
    this.flushSoon();
  }

  /** Of an answer to come; it has its place only once it is kept. */
  place(reply?: string): Place {
    return new Place(this, reply);
  }

  /** Behind all others. */
  keep(place: Place): void {
    this.#places.push(place);
  }

  /** A place has no answer of its own, because of a defect of ours. */
  failed(defect: unknown): void {
    this.#parts.onDefect(defect);
  }

  /** Something is there to be written, perhaps: what comes together goes out together. */
  flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    const { socket, onAllWritten } = this.#parts;
    let answered = 0;
    for (const { reply } of this.#places) {
      if (reply === undefined) break;
      this.#output += reply;
      answered++;
    }
    if (answered > 0) this.#places.splice(0, answered);
    if (this.#output !== '' && !socket.destroyed) socket.write(this.#output, 'latin1');
    this.#output = '';
    if (this.#places.length === 0) onAllWritten();
  }
}

class Place implements Later {
  reply: string | undefined;
  readonly #answers: Answers;

  constructor(answers: Answers, reply: string | undefined) {
    this.#answers = answers;
    this.reply = reply;
  }

  answered(reply: string): void {
    this.reply = reply;
    this.#answers.flushSoon();
  }

  failed(defect: unknown): void {
    this.#answers.failed(defect);
    this.answered(error('ERR internal error'));
  }
}
