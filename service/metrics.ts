// Everything that the service counts, and the only module that knows prom-client.
//
// No key, address or path is ever a label, so the number of series does not depend on the traffic; every label set
// exists from the start, so that a rate over it is 0 and not absent. No exemplars: they point at traces, and there are
// none here; the page stays in the text format that every Prometheus reads.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { BreakerState } from './breaker.ts';
import { type Decision, type Mechanism, type StoreErrorReason, storeErrorReasons } from './store.ts';

const mechanisms: readonly Mechanism[] = ['redis', 'fallback'];
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
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'rate_limit_requests_total',
    help: 'Requests decided, by who decided and what.',
    labelNames: ['mechanism', 'status'],
    registers: [this.#registry],
  });
  readonly #latency = new Histogram({
    name: 'rate_limit_latency_seconds',
    help: 'Time from the arrival of a request to its decision.',
    buckets: latencyBuckets,
    registers: [this.#registry],
  });
  readonly #breakerTransitions = new Counter({
    name: 'rate_limit_breaker_transitions_total',
    help: 'Changes of the state of the breaker.',
    labelNames: ['from', 'to'],
    registers: [this.#registry],
  });
  readonly #storeLatency = new Histogram({
    name: 'rate_limit_store_latency_seconds',
    help: 'Time that Redis took for a call that it answered.',
    buckets: [0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.009, 0.025, 0.1, 0.5],
    registers: [this.#registry],
  });
  readonly #storeErrors = new Counter({
    name: 'rate_limit_store_errors_total',
    help: 'Calls to Redis that failed, by reason.',
    labelNames: ['reason'],
    registers: [this.#registry],
  });
  readonly #decided;

  constructor({ fallbackKeys, breakerStates }: MetricsSources) {
    new Gauge({
      name: 'rate_limit_breaker_state',
      help: 'Redis masters whose breaker is in this state; with one Redis 1 for the current state and 0 for the others.',
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
    this.#decided = Object.fromEntries(
      mechanisms.map((mechanism) => [
        mechanism,
        {
          allowed: this.#requests.labels(mechanism, 'allowed'),
          blocked: this.#requests.labels(mechanism, 'blocked'),
        },
      ]),
    ) as Record<Mechanism, Record<'allowed' | 'blocked', Counter.Internal>>;
    for (const { allowed, blocked } of Object.values(this.#decided)) {
      allowed.inc(0);
      blocked.inc(0);
    }
    for (const reason of storeErrorReasons) this.#storeErrors.inc({ reason }, 0);
    for (const [from, to] of transitions) this.#breakerTransitions.inc({ from, to }, 0);
    collectDefaultMetrics({ register: this.#registry });
    for (const name of leftOut) this.#registry.removeSingleMetric(name);
  }

  decided(decision: Decision, seconds: number): void {
    this.#decided[decision.mechanism][decision.allowed ? 'allowed' : 'blocked'].inc();
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
    return this.#registry.metrics();
  }
}
