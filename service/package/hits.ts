// What the packages that count hits in fixed windows have in common. Here a key has a bucket of as many tokens as a window
// has hits; it refills evenly within the time of one window. Tokens that are missing are told as hits.

import { randomUUID } from 'node:crypto';
import { capacityMax } from '../config/limit-text.ts';
import { createLimit, type Limit } from '../core/limit.ts';
import { type Decision, type Take, takeOf } from '../core/store.ts';
import { bucketKeyOf } from '../doors/bucket-key.ts';
import { shown } from '../doors/json/field-mistakes.ts';
import type { Engine } from '../engine.ts';
import type { LimiterOptions } from './limiter-options.ts';
import { type OpenEngine, openEngine } from './open-engine.ts';
import { hitsSettingsOf } from './options.ts';
import { OptionsError } from './options-error.ts';

/** Hits that are allowed in so many milliseconds. */
export interface Window {
  readonly max: number;
  readonly ms: number;
}

/** What a store for another package may be told beside that package's own options. */
export type HitsOptions = Omit<LimiterOptions, 'limits' | 'policies' | 'metrics'> & {
  /** Hits that one process allows by itself in a window, while Redis is away; all of them without it. */
  readonly fallbackMax?: number | undefined;
};

/** An application has a store for each of its limits; together they are one of those who share them. */
const processId = randomUUID();

const msMax = 31_536_000_000; // a year
/** Windows whose limits are kept; of more, all are made anew. */
const limitsMax = 1000;

export class Hits {
  readonly #opened: OpenEngine;
  readonly #engine: Engine;
  readonly #name: string;
  readonly #fallbackMax: number;
  readonly #instances: number;
  readonly #limits = new Map<string, Limit>();

  /** `name`: what the names of its buckets begin with. Throws an `OptionsError`. */
  constructor(name: string, options: HitsOptions) {
    const settings = hitsSettingsOf(name, options);
    if (!settings.engine.redis) {
      throw new OptionsError(name, [
        'redis is missing; allowed: a URL, an object with host and port, or an ioredis client',
      ]);
    }
    this.#opened = openEngine(settings, processId);
    this.#engine = this.#opened.engine;
    this.#name = settings.name;
    this.#fallbackMax = settings.fallbackMax;
    this.#instances = settings.engine.instances ?? 1;
  }

  /** Takes `count` hits. Never rejects because of Redis. `kind` tells buckets of the same key and window apart. */
  async take(window: Window, key: string, count = 1, kind = ''): Promise<Decision> {
    return this.#engine.limiter.decide(this.#takeOf(window, key, count, kind));
  }

  /** What `take` would say now. */
  look(window: Window, key: string, count = 1, kind = ''): Promise<Decision> {
    return this.#engine.buckets.look(this.#takeOf(window, key, count, kind));
  }

  /** Takes hits back: never more than there were. */
  giveBack(window: Window, key: string, count = 1): Promise<Decision> {
    return this.#engine.buckets.refundAnyway(this.#takeOf(window, key, count, ''));
  }

  /** Forgets all hits of the key. */
  reset(window: Window, key: string, kind = ''): Promise<Decision> {
    return this.#engine.buckets.resetAnyway(this.#takeOf(window, key, 1, kind));
  }

  close(): void {
    this.#opened.close();
  }

  #takeOf(window: Window, key: string, count: number, kind: string): Take {
    return takeOf([this.#limitOf(window, kind)], bucketKeyOf(String(key)), count); // ids that are numbers are usual
  }

  #limitOf({ max, ms }: Window, kind: string): Limit {
    const id = `${kind}/${max}/${ms}`;
    const known = this.#limits.get(id);
    if (known) return known;
    const capacity = Math.floor(max);
    const share = Math.min(Math.ceil(capacity / this.#instances), Math.floor(this.#fallbackMax));
    const limit = createLimit({
      name: this.#name,
      prefix: `${this.#name}/${kind}${ms / 1000}s/`,
      capacity,
      refillPerSecond: (1000 * capacity) / ms,
      fallbackCapacity: share,
    });
    if (this.#limits.size >= limitsMax) this.#limits.clear();
    this.#limits.set(id, limit);
    return limit;
  }
}

/** What is wrong with a window that is to have a bucket, a line each; `names` are those of its two options. */
export function windowMistakes({ max, ms }: Window, names: { readonly max: string; readonly ms: string }): string[] {
  const mistakes: string[] = [];
  if (!(typeof max === 'number' && max <= capacityMax)) {
    mistakes.push(`${names.max} is ${shown(max)}; allowed: a number up to ${capacityMax}`);
  }
  if (!(typeof ms === 'number' && ms > 0 && ms <= msMax)) {
    mistakes.push(`${names.ms} is ${shown(ms)}; allowed: a number over 0, up to a year`);
  }
  return mistakes;
}
