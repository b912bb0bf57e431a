// Everything that the service counts.
//
// No key, address or path is ever a label, so the number of series does not depend on the traffic; every label set
// exists from the start, so that a rate over it is 0 and not absent. No exemplars: they point at traces, and there are
// none here; the page stays in the text format that every Prometheus reads.

import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { EngineMetrics, type EngineSources } from './engine-metrics.ts';
import { PolicyMetrics, type PolicyNames } from './policy-metrics.ts';
import { countReloads, type Reloaded } from './reload-metrics.ts';

/**
 * Of the default metrics: gauges named `_total`, which are no counters, and what they sum up. To tell them Node lists
 * every open socket at every scrape.
 */
const leftOut = ['resources', 'handles', 'requests'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

/** What is looked up when the page is asked for. */
export interface MetricsSources extends EngineSources {
  readonly policies: PolicyNames;
  /** Lines of the log that nobody took. */
  readonly logLinesDropped: () => number;
  /** What this process reads again. */
  readonly reloaded?: readonly Reloaded[];
}

export class Metrics {
  readonly engine: EngineMetrics;
  readonly policies: PolicyMetrics;
  readonly #registry = new Registry();
  /** What prom-client knows of the process: dearer to ask, and some of it starts anew with each asking. */
  readonly #process = new Registry();

  constructor({ policies, logLinesDropped, reloaded = [], ...ofEngine }: MetricsSources) {
    this.engine = new EngineMetrics(this.#registry, ofEngine);
    countLogLinesDropped(logLinesDropped, this.#registry);
    for (const each of reloaded) countReloads(each, this.#registry);
    this.policies = new PolicyMetrics(policies, this.#registry);
    collectDefaultMetrics({ register: this.#process });
    for (const name of leftOut) this.#process.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The page that Prometheus scrapes. */
  page(): Promise<string> {
    return Registry.merge([this.#registry, this.#process]).metrics();
  }

  /** What changes with the requests. */
  counts(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }

  /** Everything on the page. */
  all(): Promise<MetricsSnapshot> {
    return Registry.merge([this.#registry, this.#process]).getMetricsAsJSON();
  }
}

function countLogLinesDropped(dropped: () => number, registry: Registry): void {
  new Counter({
    name: 'rate_limit_log_lines_dropped_total',
    help: 'Lines of the log that were not written, since nobody took them.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(dropped());
    },
  });
}

/** What the process in front of several workers counts of them. */
export class WorkersMetrics {
  readonly #registry = new Registry();
  readonly #restarts = new Counter({
    name: 'rate_limit_worker_restarts_total',
    help: 'Workers started in place of one that ended.',
    registers: [this.#registry],
  });

  /** `ready`: how many can decide now. The others: of the process in front of them. */
  constructor({
    ready,
    logLinesDropped,
    reloaded = [],
  }: Pick<MetricsSources, 'logLinesDropped' | 'reloaded'> & { readonly ready: () => number }) {
    countLogLinesDropped(logLinesDropped, this.#registry);
    for (const each of reloaded) countReloads(each, this.#registry);
    new Gauge({
      name: 'rate_limit_workers',
      help: 'Workers that can decide.',
      registers: [this.#registry],
      collect() {
        this.set(ready());
      },
    });
  }

  restarted(): void {
    this.#restarts.inc();
  }

  all(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }
}

/** The metrics of a process at one instant, fit to be sent to another. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** What holds beyond the life of the process that counted it. */
export function lastingOf(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.filter(({ type }) => lastingTypes.has(String(type)));
}

const lastingTypes: ReadonlySet<string> = new Set(['counter', 'histogram']);

/** Each metric over all snapshots, mostly their sum; a few that say nothing of several processes are left out. */
export function sumOf(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  // Typed as without their values, which they have: they are what aggregate has just made of ours.
  return AggregatorRegistry.aggregate([...snapshots]).getMetricsAsArray() as unknown as MetricsSnapshot;
}

/** The same as a page. Sums go in the order of the snapshots, so rounding cannot make one fall when none of its parts does. */
export function pageOf(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
