// How long a sound limiter may take to be back with its store.

import type { Bounds } from '../scenario.ts';

/** The longest that a recovery may take, from the heal. */
export function recoveryMsMax({ clockDriftRatio = 0, ...bounds }: Bounds): number {
  const { reconnectMs, breakerResetMs, resetJitterRatio, redisTimeoutMs } = bounds;
  return (reconnectMs + breakerResetMs * (1 + resetJitterRatio) + 2 * redisTimeoutMs) * (1 + clockDriftRatio);
}

/** The longest from one call of an open breaker to its next. */
export function callEveryMsMax({ breakerResetMs, resetJitterRatio, redisTimeoutMs }: Bounds): number {
  return breakerResetMs * (1 + resetJitterRatio) + redisTimeoutMs;
}
