// Keys that are refused for a time, whatever their buckets hold: known to all processes by Redis, to this one also without it.
//
// In Redis a block is a bucket that lacks a token for each second. One more, of all keys, tells whether there is any block;
// it is looked at once a second. So keys cost nothing as long as none is blocked.

import type { Hits, Window } from './hits.ts';

/** What this process knows of a key. */
interface Known {
  /** Milliseconds on the clock of `performance.now()`; in the past when it is not blocked. */
  untilMs: number;
  lookedAtMs: number;
}

export const blockSecondsMax = 31_536_000; // a year
const seconds: Window = { max: blockSecondsMax, ms: 1000 * blockSecondsMax };
const kind = 'blocked/';
/** Of all keys. No key has this name: each has its own text before it. */
const anyKey = '';
/** For how long an answer of Redis is good. */
const knownForMs = 1000;
/** Keys that are remembered; of more, the first are forgotten, and asked for again. */
const keysMax = 10_000;

export class Blocks {
  readonly #hits: Hits;
  readonly #known = new Map<string, Known>();
  #areAny = false;
  #anyLookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(hits: Hits) {
    this.#hits = hits;
  }

  /** Refuses the key from now on. Never rejects because of Redis: then this process alone knows. */
  async block(key: string, ms: number): Promise<void> {
    this.#remember(key, performance.now() + ms);
    this.#areAny = true;
    const count = Math.ceil(ms / 1000);
    await this.#hits.reset(seconds, `:${key}`, kind);
    await Promise.all([
      this.#hits.take(seconds, `:${key}`, count, kind),
      this.#hits.take(seconds, anyKey, count, kind),
    ]);
  }

  async unblock(key: string): Promise<void> {
    this.#known.delete(key);
    await this.#hits.reset(seconds, `:${key}`, kind);
  }

  /** Milliseconds for which the key is refused; 0 when it is not. A block of another process is known within two seconds. */
  async msLeft(key: string): Promise<number> {
    const nowMs = performance.now();
    if (nowMs - this.#anyLookedAtMs >= knownForMs) this.#lookForAny(nowMs);
    const known = this.#known.get(key);
    if (known && (nowMs - known.lookedAtMs < knownForMs || !this.#areAny)) return Math.max(0, known.untilMs - nowMs);
    if (!this.#areAny) return 0;
    const { resetMs, mechanism } = await this.#hits.look(seconds, `:${key}`, 1, kind);
    const untilMs = mechanism === 'fallback' ? (known?.untilMs ?? 0) : performance.now() + resetMs;
    this.#remember(key, untilMs);
    return Math.max(0, untilMs - performance.now());
  }

  /** In the background: nobody waits for it. */
  #lookForAny(nowMs: number): void {
    this.#anyLookedAtMs = nowMs;
    this.#hits.look(seconds, anyKey, 1, kind).then(
      ({ resetMs, mechanism }) => {
        if (mechanism !== 'fallback') this.#areAny = resetMs > 0;
      },
      () => {}, // a defect, which the take itself will tell
    );
  }

  #remember(key: string, untilMs: number): void {
    this.#known.delete(key);
    this.#known.set(key, { untilMs, lookedAtMs: performance.now() });
    if (this.#known.size > keysMax) this.#known.delete(this.#known.keys().next().value as string);
  }
}
