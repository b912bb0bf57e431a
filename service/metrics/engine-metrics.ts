// What is counted of an engine: its decisions, its calls to the store, its breakers. The registry is the service's, or that
// of the application which has the engine inside.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { BreakerState } from '../core/breaker.ts';
import { type Decision, type StoreErrorReason, storeErrorReasons } from '../core/store.ts';
import { FastHistogram } from './fast-histogram.ts';

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

/** What is looked up when the page is asked for. */
export interface EngineSources {
  readonly fallbackKeys: () => number;
  /** Of every Redis master known now. */
  readonly breakerStates: () => readonly BreakerState[];
}

export class EngineMetrics {
  /** Plain numbers, told to prom-client when it asks: its counter looks its labels up at each request. */
  readonly #decided: Record<MechanismLabel, Partial<Record<'allowed' | 'blocked', number>>> = {
    redis: { allowed: 0, blocked: 0 },
    fallback: { allowed: 0, blocked: 0 },
    open: { allowed: 0 },
    closed: { blocked: 0 },
  };
  readonly #latency: FastHistogram;
  readonly #breakerTransitions: Counter;
  readonly #storeLatency: FastHistogram;
  readonly #storeErrors: Counter;

  constructor(registry: Registry, { fallbackKeys, breakerStates }: EngineSources) {
    this.#latency = new FastHistogram({
      name: 'rate_limit_latency_seconds',
      help: 'Time from the arrival of a request to its decision.',
      buckets: latencyBuckets,
      registry,
    });
    this.#breakerTransitions = new Counter({
      name: 'rate_limit_breaker_transitions_total',
      help: 'Moves of breakers from one state to another.',
      labelNames: ['from', 'to'],
      registers: [registry],
    });
    this.#storeLatency = new FastHistogram({
      name: 'rate_limit_store_latency_seconds',
      help: 'Time that Redis took for a call that it answered.',
      buckets: [0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.009, 0.025, 0.1, 0.5],
      registry,
    });
    this.#storeErrors = new Counter({
      name: 'rate_limit_store_errors_total',
      help: 'Calls to Redis that failed, by reason: takes, probes, and questions who owns the slots of a cluster.',
      labelNames: ['reason'],
      registers: [registry],
    });
    const decided = this.#decided;
    new Counter({
      name: 'rate_limit_requests_total',
      help: 'Decisions, by who decided and by result.',
      labelNames: ['mechanism', 'status'],
      registers: [registry],
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
      registers: [registry],
      collect() {
        const current = breakerStates();
        for (const state of states) this.set({ state }, current.filter((it) => it === state).length);
      },
    });
    new Gauge({
      name: 'rate_limit_fallback_keys',
      help: 'Fallback buckets in memory.',
      registers: [registry],
      collect() {
        this.set(fallbackKeys());
      },
    });
    for (const reason of storeErrorReasons) this.#storeErrors.inc({ reason }, 0);
    for (const [from, to] of transitions) this.#breakerTransitions.inc({ from, to }, 0);
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
}
