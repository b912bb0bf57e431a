// Whether answers and commands still belong together on a connection: about each second Redis is sent a word of its own and
// has to answer with it. One reply too few, or a string that swallowed those after it, goes unnoticed otherwise: every
// command is answered, by what was meant for the one before it, or the connection is busy and answers nobody.
//
//   EVAL "return ARGV[1]" 0 word-7 ──▶ "word-7"        the takes' own rights do for it
//
// An error is an answer, too: a Redis that is busy or loading is no reason to connect again.

import type { Redis } from 'ioredis';
import { StoreError } from '../core/store.ts';

/** On average: drawn anew each time, so that instances which connected at the same moment do not go on in step. */
const everyMs = { min: 900, max: 1100 };
/** Answers with the word that it is sent. */
export const wordScript = 'return ARGV[1]';

export interface HeartbeatOptions {
  /** Tries whether a Redis that refused the first probe would answer by now; resolves to why not. */
  readonly beginAgain: () => Promise<StoreError | undefined>;
  /** A word that is unanswered for so long ends the connection. */
  readonly silentMsMax: number | undefined;
}

export class Heartbeat {
  readonly #redis: Redis;
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #silent: NodeJS.Timeout | undefined;
  #words = 0;
  #refused = false;

  constructor(redis: Redis, options: HeartbeatOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  /** `refused`: Redis did not answer the connection's first probe. */
  start(refused: boolean): void {
    this.stop();
    this.#refused = refused;
    this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#silent);
    this.#silent = undefined;
  }

  /** Not one after the other: a word that is never answered must not be the last. */
  #next(): void {
    const inMs = Math.round(everyMs.min + (everyMs.max - everyMs.min) * Math.random());
    this.#timer = setTimeout(() => {
      this.#next();
      this.#beat();
    }, inMs);
  }

  async #beat(): Promise<void> {
    const { stream } = this.#redis;
    const word = `word-${++this.#words}`;
    const silentMsMax = this.#options.silentMsMax ?? 2000;
    this.#silent ??= setTimeout(() => {
      stream.destroy(new StoreError('timeout', `Redis left a command unanswered for ${silentMsMax} ms`));
    }, silentMsMax);
    const answer = await this.#redis.eval(wordScript, 0, word).catch(() => word);
    if (stream !== this.#redis.stream || stream.destroyed) return;
    clearTimeout(this.#silent);
    this.#silent = undefined;
    if (answer !== word) stream.destroy(new StoreError('protocol', 'Redis answered another command than it was sent'));
    else if (this.#refused) this.#refused = (await this.#options.beginAgain()) !== undefined;
  }
}
