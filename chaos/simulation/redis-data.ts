// What a simulated Redis holds, with a memory of its last writes: a replica that takes over may not have heard of them.

/** The longest that a replica lags behind, in microseconds. */
const lagUsMax = 2_000_000;
/** The memory is looked through once it is so long. */
const writesMax = 20_000;

interface Write {
  readonly atUs: number;
  readonly key: string;
  /** What stood there before; undefined for nothing. */
  readonly before: unknown;
}

export class RedisData {
  readonly #values = new Map<string, unknown>();
  #writes: Write[] = [];
  readonly #nowUs: () => number;

  /** `nowUs`: the true time. */
  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): void {
    this.#note(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#note(key);
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
    this.#writes = [];
  }

  /** Forgets what was written in the last `lagUs`. */
  fallBack(lagUs: number): void {
    const sinceUs = this.#nowUs() - lagUs;
    for (const { atUs, key, before } of this.#writes.toReversed()) {
      if (atUs <= sinceUs) break;
      if (before === undefined) this.#values.delete(key);
      else this.#values.set(key, before);
    }
    this.#writes = [];
  }

  /** Drops the values of which `isOver`. */
  expire(isOver: (value: unknown) => boolean): void {
    for (const [key, value] of this.#values) if (isOver(value)) this.#values.delete(key);
  }

  #note(key: string): void {
    const atUs = this.#nowUs();
    this.#writes.push({ atUs, key, before: this.#values.get(key) });
    if (this.#writes.length < writesMax) return;
    const kept = this.#writes.findIndex((write) => write.atUs > atUs - lagUsMax);
    if (kept > writesMax / 2) this.#writes = this.#writes.slice(kept);
  }
}
