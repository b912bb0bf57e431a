// Watches who is master where Redis is several nodes: before the fault which keys are where, during it who takes over.
// Asks the nodes themselves, and nothing of the limiter.

import { setTimeout as delay } from 'node:timers/promises';
import type { Failover, RedisHandle } from '../environment.ts';
import type { HistoryEvent } from '../history.ts';
import { sinceZeroMs, type Zero } from './observer.ts';

/** A bucket is there only while it is not full, so one look does not see every key. */
const placeEveryMs = 250;
const nameEveryMs = 50;

export class FailoverWatch implements Disposable {
  readonly #failover: Failover | undefined;
  readonly #zero: Zero;
  readonly #keySuffix: string;
  readonly #record: (event: HistoryEvent) => void;
  /** By key: the master that holds it. */
  readonly #holders = new Map<string, string>();
  readonly #timer: NodeJS.Timeout | undefined;

  /** Without several nodes it has nothing to do, and does nothing. */
  constructor(
    { failover }: RedisHandle,
    { zero, keySuffix }: { readonly zero: Zero; readonly keySuffix: string },
    record: (event: HistoryEvent) => void,
  ) {
    this.#failover = failover;
    this.#zero = zero;
    this.#keySuffix = keySuffix;
    this.#record = record;
    if (failover?.keys) this.#timer = setInterval(() => this.#look().catch(() => {}), placeEveryMs);
  }

  /** Records where the keys are that were seen until now. */
  async place(): Promise<void> {
    if (!this.#failover?.keys) return;
    clearInterval(this.#timer);
    await this.#look();
    const held = [...Map.groupBy(this.#holders, ([, master]) => master)];
    const keys = Object.fromEntries(held.map(([master, entries]) => [master, entries.map(([key]) => key)]));
    this.#record({ type: 'placement', atMs: sinceZeroMs(this.#zero), victim: this.#failover.victim, keys });
  }

  /** Records the failover, and returns when it has happened or `endMs` is reached; soon after the run is stopped, too. */
  async until(endMs: number, stop: AbortSignal): Promise<void> {
    if (!this.#failover) return;
    const { victim } = this.#failover;
    let beginMs = sinceZeroMs(this.#zero);
    while (sinceZeroMs(this.#zero) < endMs && !stop.aborted) {
      const lookedMs = sinceZeroMs(this.#zero);
      const named = await this.#failover.named();
      const others = new Set(named.map((name) => (name === victim ? undefined : name)));
      const [to] = others;
      if (others.size === 1 && to !== undefined) {
        return this.#record({ type: 'failover', beginMs, endMs: sinceZeroMs(this.#zero), from: victim, to });
      }
      if (others.size === 0 || (others.size === 1 && to === undefined)) beginMs = lookedMs;
      await delay(nameEveryMs, undefined, { signal: stop }).catch(() => {});
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const keys = await this.#failover?.keys?.();
    for (const [master, names] of keys ?? []) {
      for (const name of names) {
        const key = clientKeyOf(name, this.#keySuffix);
        if (key !== undefined) this.#holders.set(key, master);
      }
    }
  }
}

/** The client's key in the name of a bucket, whatever a limiter puts before it; undefined when it is none of the run's. */
export function clientKeyOf(name: string, keySuffix: string): string | undefined {
  if (!name.endsWith(keySuffix)) return undefined;
  const key = /(?<![\w-])k\d+$/.exec(name.slice(0, name.length - keySuffix.length))?.[0];
  return key && `${key}${keySuffix}`;
}
