// An engine inside an application.

import { createLimit } from '../core/limit.ts';
import { KeyHash } from '../doors/key-hash.ts';
import { Engine } from '../engine.ts';
import { warmUp } from '../redis/warm-up.ts';
import { eventsFor } from './events.ts';
import type { OpenSettings } from './options.ts';
import { joinMetrics } from './registry-metrics.ts';

const nowUs = () => performance.now() * 1000;

export interface OpenEngine {
  readonly engine: Engine;
  /** Closes it, and takes its metrics out of the application's registry. */
  close(): void;
}

/** Begins to connect and returns at once; Redis need not be there. `instanceId`: see `EngineSettings`. */
export function openEngine(settings: OpenSettings, instanceId?: string): OpenEngine {
  const { keySecret, onEvent, metrics } = settings;
  const hash = keySecret === undefined ? undefined : new KeyHash(keySecret);
  const events = eventsFor(onEvent);
  const membership =
    metrics &&
    joinMetrics(metrics, {
      fallbackKeys: () => engine.fallbackKeys,
      breakerStates: () => engine.breakerStates,
    });
  const counts = membership?.counts;
  const engine: Engine = new Engine(
    { ...settings.engine, instanceId, hashKey: hash && ((key) => hash.of(key)) },
    {
      ...events,
      onDecision: (decision, seconds) => counts?.decided(decision, seconds),
      onStoreAnswer: (seconds) => counts?.storeAnswered(seconds),
      onStoreError: (reason) => counts?.storeFailed(reason),
      onBreaker(redis, from, to) {
        counts?.breakerMoved(from, to);
        events.onBreaker(redis, from, to);
      },
      async onForgiven() {},
    },
    nowUs,
  );
  if (settings.engine.redis) warmUpOnce();
  return {
    engine,
    close() {
      engine.close();
      membership?.leave();
    },
  };
}

let isWarm = false;

/** Beside the application's start. Where it may not listen, the first outage costs what it costs. */
function warmUpOnce(): void {
  if (isWarm) return;
  isWarm = true;
  warmUp([createLimit({ name: 'warm-up', capacity: 5, refillPerSecond: 1 })], nowUs).catch(() => {});
}
