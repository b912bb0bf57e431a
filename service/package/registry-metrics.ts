// The metrics of all limiters that have one registry of an application: counted together, and gone from it with the last
// of these limiters.

import { type Metric, Registry } from 'prom-client';
import { EngineMetrics, type EngineSources } from '../metrics/engine-metrics.ts';
import { OptionsError } from './options-error.ts';

const known = new WeakMap<Registry, RegistryMetrics>();

/** A limiter among those of its registry. */
export interface Membership {
  readonly counts: EngineMetrics;
  /** What it has counted stays as long as there are others: no counter falls. */
  leave(): void;
}

/** Adds a limiter. Throws an `OptionsError` where the registry has a metric of such a name that is no limiter's. */
export function joinMetrics(registry: Registry, limiter: EngineSources): Membership {
  const metrics = known.get(registry) ?? new RegistryMetrics(registry);
  return metrics.join(limiter);
}

class RegistryMetrics {
  readonly #registry: Registry;
  readonly #limiters = new Set<EngineSources>();
  readonly #counts: EngineMetrics;
  readonly #metrics: ReadonlyMap<string, Metric>;

  constructor(registry: Registry) {
    const own = new Registry(); // of these metrics alone: it knows their names
    this.#registry = registry;
    this.#counts = new EngineMetrics(own, {
      fallbackKeys: () => [...this.#limiters].reduce((sum, limiter) => sum + limiter.fallbackKeys(), 0),
      breakerStates: () => [...this.#limiters].flatMap((limiter) => limiter.breakerStates()),
    });
    this.#metrics = new Map(own.getMetricsAsArray().map(({ name }) => [name, own.getSingleMetric(name) as Metric]));
  }

  join(limiter: EngineSources): Membership {
    this.#register(); // each time: the application may have cleared its registry
    this.#limiters.add(limiter);
    return {
      counts: this.#counts,
      leave: () => {
        this.#limiters.delete(limiter);
        if (this.#limiters.size === 0) this.#remove();
      },
    };
  }

  #register(): void {
    for (const [name, metric] of this.#metrics) {
      const there = this.#registry.getSingleMetric(name);
      if (there && there !== metric) {
        const allowed = 'a Registry of prom-client without a metric of that name';
        throw new OptionsError('createLimiter', [`metrics has a metric ${name}; allowed: ${allowed}`]);
      }
    }
    for (const metric of this.#metrics.values()) this.#registry.registerMetric(metric);
    known.set(this.#registry, this);
  }

  #remove(): void {
    known.delete(this.#registry);
    for (const [name, metric] of this.#metrics)
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
  }
}
