// Failed calls to Redis as each instance counts them, by reason. They are read from the run's Prometheus, which scrapes
// the instances anyway: the limiters are asked nothing more, and every count has the instant of its scrape.

import { queryAt, type Series } from '../../prometheus/query.ts';
import type { Environment } from '../environment.ts';
import type { StoreErrorsEvent } from '../history.ts';
import type { Zero } from './observer.ts';

/** How far a look reaches back, so that one that failed or came late loses nothing. */
const lookBackS = 10;
const expr = `rate_limit_store_errors_total[${lookBackS}s]`;

export class StoreErrorWatch {
  readonly #prometheusUrl: string;
  readonly #instances: ReadonlySet<string>;
  readonly #zero: Zero;
  readonly #recordedMs = new Map<string, number>();

  constructor({ prometheusUrl, instances }: Environment, zero: Zero) {
    this.#prometheusUrl = prometheusUrl;
    this.#instances = new Set(instances.map(({ name }) => name));
    this.#zero = zero;
  }

  /** What was scraped since the last look; nothing when Prometheus does not answer, which the next look makes up for. */
  async look(): Promise<StoreErrorsEvent[]> {
    const scraped = await queryAt(this.#prometheusUrl, expr, Date.now() / 1000).catch(() => []);
    return this.#unseen(scraped);
  }

  #unseen(scraped: readonly Series[]): StoreErrorsEvent[] {
    const events = storeErrorEvents(scraped, this.#zero.epochMs).filter(
      ({ instance, atMs }) =>
        this.#instances.has(instance) &&
        atMs >= 0 &&
        atMs > (this.#recordedMs.get(instance) ?? Number.NEGATIVE_INFINITY),
    );
    for (const { instance, atMs } of events) this.#recordedMs.set(instance, atMs);
    return events;
  }
}

/** One event per scrape of an instance, in order of time. `zeroMs` is the Unix time of time zero. */
export function storeErrorEvents(scraped: readonly Series[], zeroMs: number): StoreErrorsEvent[] {
  const totals = new Map<string, { instance: string; atMs: number; totals: Record<string, number> }>();
  for (const { labels, samples } of scraped) {
    const { instance = '', reason = '' } = labels;
    for (const [atS, value] of samples) {
      const atMs = Math.round((atS * 1000 - zeroMs) * 1000) / 1000;
      const id = `${atMs} ${instance}`;
      const scrape = totals.get(id) ?? { instance, atMs, totals: {} };
      totals.set(id, scrape);
      if (value > 0) scrape.totals[reason] = value;
    }
  }
  return [...totals.values()].sort((a, b) => a.atMs - b.atMs).map((scrape) => ({ type: 'store-errors', ...scrape }));
}
