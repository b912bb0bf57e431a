// What an engine tells of itself, as events for an application.

import type { EngineListener } from '../engine.ts';
import type { LimiterEvent } from './limiter-options.ts';

/** An error of the application's own listener is its warning, and no decision's. */
export function eventsFor(
  onEvent: (event: LimiterEvent) => void,
): Pick<EngineListener, 'onCause' | 'onEnd' | 'onBreaker' | 'onInstances'> {
  // A listener may be asynchronous; a rejection that nobody waits for would end the application.
  const heard = async (event: LimiterEvent): Promise<void> => onEvent(event);
  const tell = (event: LimiterEvent) => {
    heard(event).catch((error: unknown) => process.emitWarning(`onEvent of a limiter has thrown: ${String(error)}`));
  };
  return {
    onCause: ({ shard: redis, reason, message }) =>
      tell({ type: 'outage', redis, reason, text: `Redis does not decide at ${redis}: ${reason}: ${message}` }),
    onEnd: (redis, lastedMs) => tell({ type: 'recovery', redis, lastedMs, text: `Redis decides at ${redis}` }),
    onBreaker: (redis, from, to) =>
      tell({ type: 'breaker', redis, from, to, text: `breaker of ${redis}: ${from} -> ${to}` }),
    onInstances: (count) => tell({ type: 'instances', count, text: `processes that share the limits: ${count}` }),
  };
}
