// Calls of many descriptors take turns, so that a client with a great many of them holds nobody else up: what they ask of
// the store together, at any time, is bounded. Other calls wait for none of them.
//
//   few descriptors ───────────────────────────▶ decided at once
//   many ─▶ queue ─▶ in a turn of the event loop of its own, when those before it have been decided

/** Enough for what proxies are usually told to ask. */
const fewMax = 8;
/** Descriptors of such calls that are being decided. */
const underWayMax = 100;

interface Waiting {
  readonly descriptors: number;
  begin(): void;
}

export class WideCalls {
  readonly #queue: Waiting[] = [];
  #underWay = 0;
  #turn: NodeJS.Immediate | undefined;

  /** Decides a call of so many descriptors by `work`, when it is its turn. */
  async decide<T>(descriptors: number, work: () => Promise<T>): Promise<T> {
    if (descriptors <= fewMax) return work();
    await new Promise<void>((begin) => {
      this.#queue.push({ descriptors, begin });
      this.#next();
    });
    try {
      return await work();
    } finally {
      this.#underWay -= descriptors;
      this.#next();
    }
  }

  #next(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      const [first] = this.#queue;
      if (!first || (this.#underWay > 0 && this.#underWay + first.descriptors > underWayMax)) return;
      this.#queue.shift();
      this.#underWay += first.descriptors;
      first.begin();
      this.#next();
    });
  }
}
