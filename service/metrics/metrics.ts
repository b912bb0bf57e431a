// Everything that the service counts, and the only module that knows prom-client.
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
import type { BreakerState } from '../core/breaker.ts';
import { type Decision, type StoreErrorReason, storeErrorReasons } from '../core/store.ts';
import { FastHistogram } from './fast-histogram.ts';
import { PolicyMetrics, type PolicyNames } from './policy-metrics.ts';
import { countReloads, type Reloads } from './reload-metrics.ts';

/** Of the stores that decide, and of the limits that decide without. */
type MechanismLabel = 'redis' | 'fallback' | 'open' | 'closed';

const states: readonly BreakerState[] = ['closed', 'open', 'half-open'];
const transitions: readonly (readonly [BreakerState, BreakerState])[] = [
  ['closed', 'open'],
  ['open', 'half-open'],
  ['half-open', 'open'],
  ['half-open', 'closed'],
];

/** Around the 9 ms of the promise, whose edge is exact. Seconds. */
const latencyBuckets = [
  0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.009, 0.012, 0.025, 0.05, 0.1, 0.5, 2.5,
];

/**
 * Of the default metrics: gauges named `_total`, which are no counters, and what they sum up. To tell them Node lists
 * every open socket at every scrape.
 */
const leftOut = ['resources', 'handles', 'requests'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

/** What is looked up when the page is asked for. */
export interface MetricsSources {
  readonly fallbackKeys: () => number;
  /** Of every Redis master known now. */
  readonly breakerStates: () => readonly BreakerState[];
  readonly policies: PolicyNames;
  /** Lines of the log that nobody took. */
  readonly logLinesDropped: () => number;
  /** Of the policies file, where this process reads one. */
  readonly reloads?: (() => Reloads) | undefined;
}

export class Metrics {
  readonly policies: PolicyMetrics;
  readonly #registry = new Registry();
  /** What prom-client knows of the process: dearer to ask, and some of it starts anew with each asking. */
  readonly #process = new Registry();
  /** Plain numbers, told to prom-client when it asks: its counter looks its labels up at each request. */
  readonly #decided: Record<MechanismLabel, Partial<Record<'allowed' | 'blocked', number>>> = {
    redis: { allowed: 0, blocked: 0 },
    fallback: { allowed: 0, blocked: 0 },
    open: { allowed: 0 },
    closed: { blocked: 0 },
  };
  readonly #latency = new FastHistogram({
    name: 'rate_limit_latency_seconds',
    help: 'Time from the arrival of a request to its decision.',
    buckets: latencyBuckets,
    registry: this.#registry,
  });
  readonly #breakerTransitions = new Counter({
    name: 'rate_limit_breaker_transitions_total',
    help: 'Moves of breakers from one state to another.',
    labelNames: ['from', 'to'],
    registers: [this.#registry],
  });
  readonly #storeLatency = new FastHistogram({
    name: 'rate_limit_store_latency_seconds',
    help: 'Time that Redis took for a call that it answered.',
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.009, 0.025, 0.1, 0.5],
    registry: this.#registry,
  });
  readonly #storeErrors = new Counter({
    name: 'rate_limit_store_errors_total',
    help: 'Calls to Redis that failed, probes included, by reason.',
    labelNames: ['reason'],
    registers: [this.#registry],
  });

  constructor({ fallbackKeys, breakerStates, policies, logLinesDropped, reloads }: MetricsSources) {
    const decided = this.#decided;
    new Counter({
      name: 'rate_limit_requests_total',
      help: 'Decisions, by who decided and by result.',
      labelNames: ['mechanism', 'status'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [mechanism, counts] of Object.entries(decided))
          for (const [status, count] of Object.entries(counts)) this.inc({ mechanism, status }, count);
      },
    });
    new Gauge({
      name: 'rate_limit_breaker_state',
      help: 'Breakers in this state. An instance has one breaker for every worker and Redis master.',
      labelNames: ['state'],
      registers: [this.#registry],
      collect() {
        const current = breakerStates();
        for (const state of states) this.set({ state }, current.filter((it) => it === state).length);
      },
    });
    new Gauge({
      name: 'rate_limit_fallback_keys',
      help: 'Fallback buckets in memory.',
      registers: [this.#registry],
      collect() {
        this.set(fallbackKeys());
      },
    });
    countLogLinesDropped(logLinesDropped, this.#registry);
    if (reloads) countReloads(reloads, this.#registry);
    this.policies = new PolicyMetrics(policies, this.#registry);
    for (const reason of storeErrorReasons) this.#storeErrors.inc({ reason }, 0);
    for (const [from, to] of transitions) this.#breakerTransitions.inc({ from, to }, 0);
    collectDefaultMetrics({ register: this.#process });
    for (const name of leftOut) this.#process.removeSingleMetric(name);
  }

  decided(decision: Decision, seconds: number): void {
    const counts = this.#decided[decision.mechanism as MechanismLabel];
    const status = decision.allowed ? 'allowed' : 'blocked';
    counts[status] = (counts[status] ?? 0) + 1;
    this.#latency.observe(seconds);
  }

  storeAnswered(seconds: number): void {
    this.#storeLatency.observe(seconds);
  }

  storeFailed(reason: StoreErrorReason): void {
    this.#storeErrors.inc({ reason });
  }

  breakerMoved(from: BreakerState, to: BreakerState): void {
    this.#breakerTransitions.inc({ from, to });
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
    reloads,
  }: Pick<MetricsSources, 'logLinesDropped' | 'reloads'> & { readonly ready: () => number }) {
    countLogLinesDropped(logLinesDropped, this.#registry);
    if (reloads) countReloads(reloads, this.#registry);
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
