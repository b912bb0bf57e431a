// Why Redis cannot decide, by shard, for the log and /readyz. An outage repeats its cause many times a second; what is
// news is its beginning, each cause that it had not had yet, and its end.

import type { Logger } from 'pino';
import type { StoreError, StoreErrorReason } from '../core/store.ts';

export interface OutageCause {
  readonly shard: string;
  readonly reason: StoreErrorReason;
  readonly message: string;
}

export interface OutagesOptions {
  /** Passwords: never part of a message, whoever wrote it. */
  readonly secrets: readonly string[];
  readonly nowUs: () => number;
  readonly onCause: (cause: OutageCause) => void;
  /** The shard's Redis decides, again or for the first time, after an outage of so many milliseconds. */
  readonly onEnd: (shard: string, lastedMs: number) => void;
}

interface Outage {
  readonly sinceUs: number;
  /** Causes that were news. */
  readonly seen: Set<string>;
  cause: OutageCause;
}

const messageLengthMax = 300;

/** News as lines of the log. */
export function toLog(log: Logger): Pick<OutagesOptions, 'onCause' | 'onEnd'> {
  return {
    onCause: ({ shard, reason, message }) =>
      log.warn({ shard, reason, cause: message }, `Redis does not decide at ${shard}: ${reason}: ${message}`),
    onEnd: (shard, lastedMs) => log.info({ shard, lastedMs }, `Redis decides at ${shard}`),
  };
}

export class Outages {
  readonly #options: OutagesOptions;
  readonly #outages = new Map<string, Outage>();
  readonly #well = new Set<string>();
  #isClosed = false;

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  get all(): readonly OutageCause[] {
    return [...this.#outages.values()].map(({ cause }) => cause);
  }

  /** `cause`: why the shard's Redis cannot decide now; undefined when it can. */
  set(shard: string, cause: Pick<StoreError, 'reason' | 'message'> | undefined): void {
    if (this.#isClosed) return;
    const outage = this.#outages.get(shard);
    if (!cause) {
      this.#outages.delete(shard);
      const isNews = outage !== undefined || !this.#well.has(shard);
      this.#well.add(shard);
      const lastedMs = outage ? Math.round((this.#options.nowUs() - outage.sinceUs) / 1000) : 0;
      if (isNews) this.#options.onEnd(shard, lastedMs);
      return;
    }
    const shown = { shard, reason: cause.reason, message: this.#shown(cause.message) };
    const name = `${shown.reason} ${shown.message.replace(/\d+ ?ms/g, 'ms')}`; // waits are drawn by chance
    if (outage) outage.cause = shown;
    else this.#outages.set(shard, { sinceUs: this.#options.nowUs(), seen: new Set(), cause: shown });
    const { seen } = this.#outages.get(shard) as Outage;
    if (seen.has(name)) return;
    seen.add(name);
    this.#options.onCause(shown);
  }

  /** The shard is no more: neither well nor in an outage. */
  forget(shard: string): void {
    this.#outages.delete(shard);
    this.#well.delete(shard);
  }

  /** Nothing is told from now on: that connections end which were closed is no outage. */
  close(): void {
    this.#isClosed = true;
  }

  #shown(message: string): string {
    const hidden = this.#options.secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
    return hidden.slice(0, messageLengthMax);
  }
}
